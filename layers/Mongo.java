import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** A server that speaks MongoDB's protocol at a port of loopback, until it is ended. */
class Mongo {
  /** What it knows of itself is older than what PyMongo speaks with. */
  private static final MongoVersion VERSION =
      new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
          return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
          return 9;
        }
      };

  public static void main(String[] arguments) {
    new MongoServer(new MemoryBackend().version(VERSION)).bind("127.0.0.1", Integer.parseInt(arguments[0]));
  }
}
