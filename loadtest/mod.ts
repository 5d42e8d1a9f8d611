/**
 * The parts of the load test: a seeded plan, a ledger of what happened, the judge, and the figures.
 *
 * @module
 */
export * from "./judge/outcome_counts.ts";
export * from "./plan/arrival.ts";
export * from "./metrics/comparison.ts";
export * from "./metrics/confidence.ts";
export * from "./plan/fault_spec.ts";
export type { RunMetrics as Figures, RunMetricsInput as FiguresInput } from "./metrics/run_metrics.ts";
export * from "./judge/findings.ts";
export * from "./history/events.ts";
export * from "./history/digest.ts";
export * from "./history/verify.ts";
export * from "./history/line_format.ts";
export * from "./report/junit.ts";
export * from "./metrics/latency.ts";
export * from "./ledger/ledger.ts";
export * from "./metrics/measure.ts";
export * from "./plan/payload.ts";
export * from "./plan/plan.ts";
export * from "./plan/seeded_random.ts";
export * from "./ledger/failure_reasons.ts";
export * from "./plan/reply_delay.ts";
export * from "./report/mod.ts";
export * from "./judge/checks.ts";
export * from "./metrics/summary.ts";
export * from "./metrics/threshold.ts";
export * from "./metrics/timeline.ts";
export * from "./judge/verdict.ts";
export * from "./judge/verdict_text.ts";
export { delimiterCodec, type DelimiterOptions } from "../socket/codecs/delimiter_codec.ts";
export { fixedSizeCodec } from "../socket/codecs/fixed_size_codec.ts";
export { type JsonValue, ndjsonCodec } from "../socket/codecs/ndjson_codec.ts";
export { respCodec, RespError, type RespOptions, type RespValue } from "../socket/codecs/resp_codec.ts";
export {
  webSocketCodec,
  type WebSocketControl,
  type WebSocketFrame,
  type WebSocketOptions,
  type WebSocketRequest,
  type WebSocketResponse,
} from "../socket/codecs/web_socket_codec.ts";
export type { Codec, Decoded, Decoder, Encoder } from "../socket/codecs/codec.ts";
export { lineCodec } from "../socket/codecs/line_codec.ts";
export { bytesCodec } from "../socket/codecs/bytes_codec.ts";
export { lengthPrefixCodec } from "../socket/codecs/length_prefix_codec.ts";
export * from "./scenario/assert_proven.ts";
export type { DataRow, DataSource } from "./scenario/data_rows.ts";
export { AskError, SessionStoppedError } from "./scenario/errors.ts";
export * from "./scenario/events.ts";
export type { Expectation } from "./scenario/expectation.ts";
export type { ScenarioMetrics, StepMetrics } from "./scenario/measure_scenario.ts";
export { ScenarioError } from "./scenario/prepare_scenario.ts";
export type { CorrelationKey } from "./scenario/pending_asks.ts";
export { type LoadTestOptions, type LoadTestRun, runLoadTest } from "./scenario/run_load_test.ts";
export {
  type AskOptions,
  type Metric,
  type Scenario,
  scenario,
  type ScenarioDuration,
  type ScenarioOptions,
  type Session,
} from "./scenario/scenario.ts";
