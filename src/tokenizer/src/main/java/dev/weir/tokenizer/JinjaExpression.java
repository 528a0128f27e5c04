package dev.weir.tokenizer;

/** What has a value while a template is rendered. Immutable; any thread. */
interface JinjaExpression {
    Object value(JinjaScope scope);
}
