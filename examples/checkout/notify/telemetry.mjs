/**
 * OpenTelemetry for this function.
 * Endpoint and service name come from OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME.
 */
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/** The collector is on loopback: what takes longer than this will not come. */
const EXPORT_TIMEOUT_MS = 2_000;

const provider = new NodeTracerProvider({
  resource: defaultResource().merge(detectResources({ detectors: [envDetector] })),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: EXPORT_TIMEOUT_MS }))],
});
provider.register();

const tracer = trace.getTracer("notify");

/** Does `work` in a span below `parent`, and marks the span with the error it ended in. */
export function inSpan(name, options, work, parent = context.active()) {
  return tracer.startActiveSpan(name, options, parent, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.recordException(error);
      span.setAttribute("error.type", error.name);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Hands every finished span over. Lambda may freeze this process as soon as it has answered. */
export async function flush() {
  try {
    await provider.forceFlush();
  } catch (error) {
    console.warn("cannot export spans:", error);
  }
}
