package dev.weir.loadtest;

/** What carries the events: a WebSocket that stays open for many answers, or one HTTP answer of server-sent events. */
enum Transport {
    WS,
    SSE
}
