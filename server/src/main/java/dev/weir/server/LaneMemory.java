package dev.weir.server;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The last response of each lane of one socket, which later ones on that socket may go on from, in whichever lane, though it is
 * stored nowhere. Owned by the context of the socket.
 */
final class LaneMemory {
    private final Map<String, StoredResponse> last = new HashMap<>();

    /** What keeps the responses of one lane. */
    Keeper of(String lane) {
        return new Keeper() {
            @Override
            public Optional<StoredResponse> find(String id) {
                return last.values().stream()
                        .filter(response -> response.id().equals(id))
                        .findFirst();
            }

            @Override
            public void keep(StoredResponse response) {
                last.put(lane, response);
            }
        };
    }
}
