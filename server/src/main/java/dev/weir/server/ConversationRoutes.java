package dev.weir.server;

import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.ConversationJson;
import dev.weir.protocol.ConversationRequest;
import dev.weir.protocol.ItemPage;
import dev.weir.protocol.Replies;
import dev.weir.protocol.RequestReader;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What is served under {@code /v1/conversations}. Owned by one event loop. */
final class ConversationRoutes {
    private final Conversations conversations;

    ConversationRoutes(Conversations conversations) {
        this.conversations = conversations;
    }

    /** {@code POST /v1/conversations}; without a body it is an empty one. */
    void create(RoutingContext http, String body) {
        ConversationRequest request = RequestReader.conversation(body.isBlank() ? "{}" : body);
        Permit permit = Authentication.caller(http).admit();
        answer(
                http,
                conversations
                        .create(tenant(http), request)
                        .onComplete(_ -> permit.end(0))
                        .map(ConversationJson::write));
    }

    /** {@code GET /v1/conversations/{id}}. */
    void retrieve(RoutingContext http) {
        answer(
                http,
                conversations.get(tenant(http), id(http)).map(kept -> ConversationJson.write(kept.conversation())));
    }

    /** {@code POST /v1/conversations/{id}}. */
    void update(RoutingContext http, String body) {
        Map<String, String> metadata = RequestReader.conversationUpdate(body);
        answer(http, conversations.annotate(tenant(http), id(http), metadata).map(ConversationJson::write));
    }

    /** {@code DELETE /v1/conversations/{id}}. */
    void delete(RoutingContext http) {
        answer(http, conversations.delete(tenant(http), id(http)).map(_ -> Replies.deletedConversation(id(http))));
    }

    /** {@code GET /v1/conversations/{id}/items}. */
    void items(RoutingContext http) {
        HttpServerRequest request = http.request();
        answer(
                http,
                conversations
                        .get(tenant(http), id(http))
                        .map(kept -> Replies.items(ItemPage.of(
                                kept.items(),
                                request.getParam("order"),
                                request.getParam("limit"),
                                request.getParam("after")))));
    }

    /** {@code POST /v1/conversations/{id}/items}: answers with what was added. */
    void addItems(RoutingContext http, String body) {
        List<ConversationItem> items =
                ConversationItem.of(RequestReader.conversationItems(body), Conversations::newName);
        Permit permit = Authentication.caller(http).admit();
        answer(
                http,
                conversations
                        .add(tenant(http), id(http), items)
                        .onComplete(_ -> permit.end(0))
                        .map(_ -> Replies.items(new ItemPage(items, false))));
    }

    /** {@code GET /v1/conversations/{id}/items/{item}}. */
    void item(RoutingContext http) {
        answer(
                http,
                conversations.get(tenant(http), id(http)).map(kept -> ConversationJson.write(kept.item(itemId(http)))));
    }

    /** {@code DELETE /v1/conversations/{id}/items/{item}}: answers with the conversation. */
    void deleteItem(RoutingContext http) {
        answer(
                http,
                conversations
                        .remove(tenant(http), id(http), itemId(http))
                        .map(kept -> ConversationJson.write(kept.conversation())));
    }

    private static void answer(RoutingContext http, Future<String> json) {
        json.onSuccess(body -> HttpReplies.json(http.response(), body)).onFailure(http::fail);
    }

    private static String tenant(RoutingContext http) {
        return Authentication.caller(http).tenant();
    }

    private static String id(RoutingContext http) {
        return Objects.requireNonNull(http.pathParam("id"));
    }

    private static String itemId(RoutingContext http) {
        return Objects.requireNonNull(http.pathParam("item"));
    }
}
