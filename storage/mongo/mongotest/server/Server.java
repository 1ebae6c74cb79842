import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A server of MongoDB's protocol for tests: mongo-java-server in memory, on a port of its own, until its standard input
 * closes. It prints its URI. An argument is the wire version to report instead of MongoDB 4.4's.
 *
 * It reports a version that the Go driver takes, sweeps TTL indexes each second, and refuses what the library takes and
 * then ignores: partial indexes and collations. What it does not model, package mongotest lists.
 */
public final class Server extends MemoryBackend {
  /** A TTL index. */
  private record Ends(String database, String collection, String field, long seconds) {}

  private final Map<String, Ends> ends = new ConcurrentHashMap<>();
  /** The indexes that were made, by database, collection and name. */
  private final Map<String, Document> made = new ConcurrentHashMap<>();

  @Override
  public Document handleMessage(MongoMessage message) {
    Document command = message.getDocument();
    if (ignored(command)) {
      return refusal(67, "CannotCreateIndex", "the test server models neither collations nor partial indexes");
    }
    String database = message.getDatabaseName();
    if (command.containsKey("createIndexes") && !note(database, command)) {
      return refusal(85, "IndexOptionsConflict", "an index of this name is there with other options");
    }
    if (command.containsKey("drop")) {
      made.keySet().removeIf(key -> key.startsWith(database + "." + command.get("drop") + "."));
    }
    if (command.containsKey("dropDatabase")) {
      made.keySet().removeIf(key -> key.startsWith(database + "."));
      ends.keySet().removeIf(key -> key.startsWith(database + "."));
    }
    synchronized (this) { // the library answers with what it stores, which the next command changes before it is sent
      return super.handleMessage(message).cloneDeeply();
    }
  }

  private static Document refusal(int code, String name, String message) {
    return new Document("ok", 0.0).append("code", code).append("codeName", name).append("errmsg", message);
  }

  /** Reports whether a command, or a part of it, asks for what the library would ignore. */
  private static boolean ignored(Object part) {
    if (part instanceof Document document) {
      return document.containsKey("collation") || document.containsKey("partialFilterExpression")
          || List.of("indexes", "updates", "deletes").stream().anyMatch(list -> ignored(document.get(list)));
    }
    return part instanceof Collection<?> list && list.stream().anyMatch(Server::ignored);
  }

  /** Notes indexes, and reports whether none has the name of another one: the library would have both. */
  private boolean note(String database, Document command) {
    String collection = database + "." + command.get("createIndexes");
    for (Object each : (Collection<?>) command.get("indexes")) {
      Document index = (Document) each;
      Document before = made.putIfAbsent(collection + "." + index.get("name"), index);
      if (before != null && !before.equals(index)) {
        return false;
      }
      if (index.get("expireAfterSeconds") instanceof Number seconds) {
        String field = ((Document) index.get("key")).keySet().iterator().next();
        ends.put(collection, new Ends(database, (String) command.get("createIndexes"), field, seconds.longValue()));
      }
    }
    return true;
  }

  private synchronized void sweep() {
    for (Ends end : ends.values()) {
      MongoDatabase database = resolveDatabase(end.database());
      MongoCollection<?> collection = database.resolveCollection(end.collection(), false);
      if (collection != null) {
        collection.deleteDocuments(new Document(end.field(), new Document("$lte", Instant.now().minusSeconds(end.seconds()))), 0);
      }
    }
  }

  private static void sweepEachSecond(Server backend) {
    while (true) {
      try {
        Thread.sleep(1000);
        backend.sweep();
      } catch (InterruptedException end) {
        return;
      } catch (RuntimeException cause) {
        System.err.println("sweep: " + cause);
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    Server backend = new Server();
    MongoServer server = new MongoServer(backend.version(new MongoVersion() {
      @Override
      public List<Integer> getVersionArray() {
        return new ArrayList<>(List.of(4, 4, 0));
      }

      @Override
      public int getWireVersion() {
        return arguments.length > 0 ? Integer.parseInt(arguments[0]) : 9;
      }
    }));
    server.bind("127.0.0.1", 0);
    Thread sweeper = new Thread(() -> sweepEachSecond(backend));
    sweeper.setDaemon(true);
    sweeper.start();
    System.out.println(server.getConnectionString());
    while (System.in.read() >= 0) { // until whoever started it closes the pipe, or is no more
    }
    server.shutdownNow();
    System.exit(0);
  }
}
