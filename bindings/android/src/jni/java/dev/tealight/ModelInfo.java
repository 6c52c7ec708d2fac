package dev.tealight;

import java.util.Optional;
import java.util.OptionalLong;

/** What a model says about itself, and the memory that it takes with the options it was asked with. */
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
    private final int chatContext;
    private final long bytesPerToken;
    private final long memoryEstimate;

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
            int chatContext,
            long bytesPerToken,
            long memoryEstimate) {
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
        this.chatContext = chatContext;
        this.bytesPerToken = bytesPerToken;
        this.memoryEstimate = memoryEstimate;
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

    /** Tokens that a chat has room for, with the options. */
    public int chatContext() {
        return chatContext;
    }

    /**
     * Bytes that a token's keys and values take, with the options. Where attention has windows,
     * some of that is kept of the last tokens only.
     */
    public long bytesPerToken() {
        return bytesPerToken;
    }

    /**
     * About how many bytes of memory the model takes with one chat, with the options: the file
     * (which the system can drop and read again), keys and values, working memory, the tokenizer.
     */
    public long memoryEstimate() {
        return memoryEstimate;
    }

    @Override
    public String toString() {
        return name;
    }
}
