package dev.tealight;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** How an answer is generated. Whatever is left open is the model's own default. */
public final class GenerateOptions {
    int maxTokens = -1;
    float temperature = Float.NaN;
    int topK = -1;
    float topP = Float.NaN;
    float minP = Float.NaN;
    float repetitionPenalty = Float.NaN;
    Long seed;
    final List<String> stop = new ArrayList<>();

    /** Most tokens that the model says; as many as the context has room for if left open. */
    public GenerateOptions maxTokens(int tokens) {
        maxTokens = Numbers.notNegative(tokens, "maxTokens");
        return this;
    }

    /** Divides the logits; 0 always takes the likeliest token. */
    public GenerateOptions temperature(float temperature) {
        this.temperature = temperature;
        return this;
    }

    /** Always the likeliest token. */
    public GenerateOptions greedy() {
        return temperature(0);
    }

    /** Keeps this many of the likeliest tokens. */
    public GenerateOptions topK(int k) {
        topK = Numbers.notNegative(k, "topK");
        return this;
    }

    /** Keeps the likeliest tokens up to this probability together. */
    public GenerateOptions topP(float p) {
        topP = p;
        return this;
    }

    /** Keeps tokens of at least this share of the likeliest one's probability. */
    public GenerateOptions minP(float p) {
        minP = p;
        return this;
    }

    /** Divides the positive logits of tokens that were there before. */
    public GenerateOptions repetitionPenalty(float penalty) {
        repetitionPenalty = penalty;
        return this;
    }

    /** The same seed gives the same text; a new one each time if left open. */
    public GenerateOptions seed(long seed) {
        this.seed = seed;
        return this;
    }

    /** Adds a text before which the answer ends. */
    public GenerateOptions stop(String text) {
        stop.add(Objects.requireNonNull(text, "text"));
        return this;
    }
}
