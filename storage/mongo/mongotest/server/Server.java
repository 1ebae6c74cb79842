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
 * closes. It prints its URI.
 *
 * It reports a version that the Go driver takes, sweeps TTL indexes each second, and refuses what the library takes and
 * then ignores: partial indexes and collations. What it does not model, package mongotest lists.
 */
public final class Server extends MemoryBackend {
  /** A TTL index. */
  private record Ends(String database, String collection, String field, long seconds) {}

  private final Map<String, Ends> ends = new ConcurrentHashMap<>();

  @Override
  public Document handleMessage(MongoMessage message) {
    Document command = message.getDocument();
    if (ignored(command)) {
      return new Document("ok", 0.0).append("code", 67).append("codeName", "CannotCreateIndex")
          .append("errmsg", "the test server models neither collations nor partial indexes");
    }
    Document answer = super.handleMessage(message);
    if (command.containsKey("createIndexes")) {
      note(message.getDatabaseName(), command);
    }
    return answer;
  }

  /** Reports whether a command, or a part of it, asks for what the library would ignore. */
  private static boolean ignored(Object part) {
    if (part instanceof Document document) {
      return document.containsKey("collation") || document.containsKey("partialFilterExpression")
          || List.of("indexes", "updates", "deletes").stream().anyMatch(list -> ignored(document.get(list)));
    }
    return part instanceof Collection<?> list && list.stream().anyMatch(Server::ignored);
  }

  private void note(String database, Document command) {
    String collection = (String) command.get("createIndexes");
    for (Object each : (Collection<?>) command.get("indexes")) {
      Document index = (Document) each;
      if (index.get("expireAfterSeconds") instanceof Number seconds) {
        String field = ((Document) index.get("key")).keySet().iterator().next();
        ends.put(database + "." + collection, new Ends(database, collection, field, seconds.longValue()));
      }
    }
  }

  private void sweep() {
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
        return 9;
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
