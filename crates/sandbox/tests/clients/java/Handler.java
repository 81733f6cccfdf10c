import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Does what each event's "do" says, as the functions of the other languages beside it. */
public class Handler implements RequestHandler<Map<String, Object>, Object> {
  public Handler() {
    if (System.getenv("FAIL_INIT") != null) {
      throw new IllegalStateException("no init today");
    }
  }

  @Override
  public Object handleRequest(Map<String, Object> event, Context context) {
    switch (String.valueOf(event.get("do"))) {
      case "throw":
        throw new IllegalArgumentException("on purpose");
      case "log":
        context.getLogger().log("a detail", LogLevel.DEBUG);
        context.getLogger().log("for the record", LogLevel.INFO);
        context.getLogger().log("it broke", LogLevel.ERROR);
        return null;
      case "big":
        return "x".repeat(7 * 1024 * 1024);
      case "memory":
        return memory();
      case "kill":
        return kill(ProcessHandle.current().pid());
      case "hang":
        return sleep();
      default:
        return report(context);
    }
  }

  private static Object report(Context context) {
    context.getLogger().log("two\nlines\n");
    Map<String, Object> report = new HashMap<>();
    report.put("request", context.getAwsRequestId());
    report.put("arn", context.getInvokedFunctionArn());
    report.put("function", context.getFunctionName());
    report.put("memory_mb", context.getMemoryLimitInMB());
    report.put("remaining_ms", context.getRemainingTimeInMillis());
    report.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
    report.put("custom", context.getClientContext() == null ? null : context.getClientContext().getCustom());
    return report;
  }

  /** Four times what the function may have, and no danger to a machine that does not stop it. */
  private static Object memory() {
    List<byte[]> hog = new ArrayList<>();
    while (hog.size() < 512) {
      hog.add(new byte[1024 * 1024]);
    }
    return hog.size();
  }

  private static Object kill(long pid) {
    try {
      return new ProcessBuilder("kill", "-KILL", Long.toString(pid)).start().waitFor();
    } catch (Exception e) {
      throw new RuntimeException(e);
    }
  }

  private static Object sleep() {
    try {
      Thread.sleep(600_000);
      return null;
    } catch (InterruptedException e) {
      throw new RuntimeException(e);
    }
  }
}
