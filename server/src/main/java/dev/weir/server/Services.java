package dev.weir.server;

import org.jspecify.annotations.Nullable;

/**
 * What every connection shares. Immutable; any thread.
 *
 * @param model the model that is served
 * @param admission who may begin
 * @param metrics what is counted
 * @param limits what a connection may cost
 * @param responses the responses that can be taken up again
 * @param conversations the conversations that are stored
 * @param keys the API keys of which each request needs one; null lets everybody in
 * @param origins which web pages may use the server
 */
record Services(
        ModelService model,
        Admission admission,
        Metrics metrics,
        ServerLimits limits,
        Responses responses,
        Conversations conversations,
        @Nullable KeyRing keys,
        Origins origins) {}
