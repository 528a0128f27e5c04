package dev.weir.loadtest;

/** The API whose answers are streamed: it settles the path, the request's field names and the shape of the events. */
enum Api {
    RESPONSES("/v1/responses"),
    COMPLETIONS("/v1/completions"),
    CHAT("/v1/chat/completions");

    private final String path;

    Api(String path) {
        this.path = path;
    }

    String path() {
        return path;
    }
}
