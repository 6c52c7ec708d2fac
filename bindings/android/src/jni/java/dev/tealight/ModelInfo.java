package dev.tealight;

import java.util.Optional;
import java.util.OptionalLong;

/** What a model says about itself. */
public final class ModelInfo {
    private final String name;
    private final String architecture;
    private final long parameters;
    private final String quantization;
    private final String licence;
    private final int vocab;
    private final int context;
    private final long fileBytes;
    private final boolean hasTokenizer;
    private final boolean hasChatTemplate;
    private final long fixedBytes;
    private final long bytesPerToken;

    ModelInfo(
            String name,
            String architecture,
            long parameters,
            String quantization,
            String licence,
            int vocab,
            int context,
            long fileBytes,
            boolean hasTokenizer,
            boolean hasChatTemplate,
            long fixedBytes,
            long bytesPerToken) {
        this.name = name;
        this.architecture = architecture;
        this.parameters = parameters;
        this.quantization = quantization;
        this.licence = licence;
        this.vocab = vocab;
        this.context = context;
        this.fileBytes = fileBytes;
        this.hasTokenizer = hasTokenizer;
        this.hasChatTemplate = hasChatTemplate;
        this.fixedBytes = fixedBytes;
        this.bytesPerToken = bytesPerToken;
    }

    /** The folder's name that the model was compiled from, or what it was opened as. */
    public String name() {
        return name;
    }

    /** The architecture's name, such as {@code Qwen2ForCausalLM}. */
    public Optional<String> architecture() {
        return Optional.ofNullable(architecture);
    }

    /** Numbers that were trained. */
    public OptionalLong parameters() {
        return parameters < 0 ? OptionalLong.empty() : OptionalLong.of(parameters);
    }

    /** How most of the weights are stored, such as {@code int4}. */
    public Optional<String> quantization() {
        return Optional.ofNullable(quantization);
    }

    /** The licence as the author names it. */
    public Optional<String> licence() {
        return Optional.ofNullable(licence);
    }

    /** Number of token ids. */
    public int vocab() {
        return vocab;
    }

    /** Most tokens that the model can attend over. */
    public int context() {
        return context;
    }

    /** Size of the compiled model in bytes. */
    public long fileBytes() {
        return fileBytes;
    }

    /** Whether it takes and gives text. */
    public boolean hasTokenizer() {
        return hasTokenizer;
    }

    /** Whether it can chat. */
    public boolean hasChatTemplate() {
        return hasChatTemplate;
    }

    /**
     * About how many bytes of memory the model takes with one chat of so many tokens: the file
     * (which the system can drop and read again), keys and values in half precision, working
     * memory, the tokenizer.
     */
    public long memoryEstimate(int context) {
        return fixedBytes + bytesPerToken * Math.min(context, this.context);
    }

    @Override
    public String toString() {
        return name;
    }
}
