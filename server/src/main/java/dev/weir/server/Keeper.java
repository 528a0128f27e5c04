package dev.weir.server;

import java.util.Optional;

/** Keeps responses beside the store, for later ones of the same connection that go on from them. Owned by the connection. */
interface Keeper {
    /** Keeps nothing. */
    Keeper NONE = new Keeper() {
        @Override
        public Optional<StoredResponse> find(String id) {
            return Optional.empty();
        }

        @Override
        public void keep(StoredResponse response) {}
    };

    Optional<StoredResponse> find(String id);

    /** A response has ended. */
    void keep(StoredResponse response);
}
