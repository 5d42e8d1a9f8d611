/**
 * Load tests that prove delivery: scenarios, and a function that runs them. Reports are in `loadtest/report`.
 *
 * @module
 */
export {
  type AskAllOptions,
  type AskOptions,
  type Metric,
  type Scenario,
  scenario,
} from "./scenario/scenario.ts";
export type { ScenarioDuration, ScenarioOptions, Session } from "./scenario/scenario.ts";
export type { DataRow, DataSource } from "./scenario/data_rows.ts";
export type { Expectation } from "./scenario/expectation.ts";
export type { CorrelationKey } from "./scenario/session/batch.ts";
export { AskError, ScenarioError, SessionStoppedError } from "./scenario/errors.ts";
export { default as echoScenario } from "./scenario/builtin/echo.ts";
export { default as helloScenario, type HttpReply } from "./scenario/builtin/hello.ts";
export { default as relayScenario } from "./scenario/builtin/relay.ts";
export { runLoadTest } from "./run_load_test.ts";
export type { LoadTestOptions, ProtocolTestOptions, ScenarioTestOptions } from "./load_test_options.ts";
export type { LoadTestRun } from "./load_test_run.ts";
export { type ControlledRun, type PaceState, RunControl, RunControlError } from "./pace/run_control.ts";
export type { Pace, PaceSetting } from "./pace/pace.ts";
export type { RunStage } from "./pace/run_stages.ts";
export { assertProven, NotProvenError } from "./assert_proven.ts";
export type { Cause, CauseKind } from "./judge/cause/rule.ts";
export type { Finding, FindingKind } from "./judge/findings.ts";
export type { Verdict } from "./judge/verdict.ts";
export { bytesCodec } from "../socket/codecs/bytes_codec.ts";
export { delimiterCodec } from "../socket/codecs/delimiter_codec.ts";
export { fixedSizeCodec } from "../socket/codecs/fixed_size_codec.ts";
export { lengthPrefixCodec } from "../socket/codecs/length_prefix_codec.ts";
export { lineCodec } from "../socket/codecs/line_codec.ts";
export { type JsonValue, ndjsonCodec } from "../socket/codecs/ndjson_codec.ts";
export { respCodec } from "../socket/codecs/resp_codec.ts";
export { RespError, type RespValue } from "../socket/codecs/resp_value.ts";
export { webSocketCodec, type WebSocketFrame } from "../socket/codecs/web_socket_codec.ts";
