package dev.weir.server;

/**
 * What every connection shares. Immutable; any thread.
 *
 * @param model the model that is served
 * @param admission who may begin
 * @param metrics what is counted
 * @param limits what a connection may cost
 */
record Services(ModelService model, Admission admission, Metrics metrics, ServerLimits limits) {}
