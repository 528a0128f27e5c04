package dev.weir.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The server's log. Any thread. */
final class Logs {
    static final Logger SERVER = LoggerFactory.getLogger("weir.server");

    private Logs() {}
}
