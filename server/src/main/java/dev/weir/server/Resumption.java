package dev.weir.server;

import dev.weir.protocol.ApiError;

/** Takes up the events of a response again, whether it is at hand or stored. On the context of the reader. */
final class Resumption {
    private Resumption() {}

    /** Gives the reader the events with a number above {@code number}, or refuses it. */
    static void begin(Services services, Caller caller, String id, LogReader reader, int number) {
        Response atHand = services.responses().find(caller, id);
        if (atHand != null) {
            services.metrics().resumed();
            atHand.resume(reader, number);
            return;
        }
        services.responses()
                .store()
                .events(caller.tenant(), id)
                .onSuccess(found -> found.ifPresentOrElse(
                        events -> {
                            services.metrics().resumed();
                            new Replay(id, events).begin(reader, number);
                        },
                        () -> refuse(services, reader, Responses.unknown(id))))
                .onFailure(cause -> refuse(services, reader, Faults.ofStore(cause)));
    }

    private static void refuse(Services services, LogReader reader, ApiError error) {
        services.metrics().refused(error);
        reader.refuse(error, 0);
    }
}
