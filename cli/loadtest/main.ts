/** The commands of `loadtest.ts`. @module */
import { processEnvironment } from "../args/environment.ts";
import { ExitCode } from "../terminal/exit.ts";
import { Log } from "../terminal/log.ts";
import { text } from "../args/option.ts";
import { parseCommandLine } from "../args/parse.ts";
import type { Program } from "../args/program.ts";
import { type Context, programName, VERSION } from "../run_program.ts";
import { invocation } from "../shared/invocation.ts";
import { agentCommand, runAgent } from "./agent.ts";
import { capacityCommand, runCapacity } from "./capacity/capacity.ts";
import { compareCommand, runCompare } from "./compare/compare.ts";
import { AGENT_COMPANIONS } from "./agents.ts";
import { loadOptions, otherOptions } from "./options.ts";
import { runFromOptions } from "./run.ts";
import { writeScenario } from "./scenario/new.ts";
import { checkOption, scenarioOptions } from "./scenario/options.ts";
import { runTorture, tortureCommand } from "./torture/torture.ts";
import { runVerify, verifyCommand } from "./verify.ts";
import { ADMIN_COMPANIONS, assertCompanions } from "../shared/companions.ts";
import { assertPermissions } from "./permissions.ts";

const commands = {
  run: {
    summary: "Run clients, or the sessions of a scenario, and prove that nothing is lost",
    positionals: {
      scenario: text({
        help: "A scenario file, such as echo.ts: see docs/scenarios.md. Without, --protocol",
      }),
    },
    options: { ...loadOptions, ...scenarioOptions, ...checkOption, ...otherOptions },
    examples: [
      ["--clients 10000 --window 10s", "10,000 clients within 10 s, against a spawned server"],
      [
        "run --target 127.0.0.1:8000 --reply-delay uniform:0s-5s",
        "1000 clients against a running relay",
      ],
      [
        "run echo.ts --target 127.0.0.1:7 --clients 200",
        "200 sessions of your scenario against your server",
      ],
    ],
  },
  agent: agentCommand,
  capacity: capacityCommand,
  new: {
    summary: "Write a commented scenario to start from",
    positionals: {
      name: text({
        help: "The file, such as my_scenario or my_scenario.ts",
        required: true,
        example: "my_scenario",
      }),
    },
    options: {},
    examples: [
      ["new my_scenario", "Write my_scenario.ts, which tests a line echo"],
      ["run my_scenario.ts --target 127.0.0.1:8080", "Run it"],
    ],
  },
  torture: tortureCommand,
  verify: verifyCommand,
  compare: compareCommand,
} as const;

const program = {
  name: programName("loadtest"),
  invocation: invocation("loadtest"),
  summary: "Load test a TCP service, and prove delivery",
  version: VERSION,
  commandNoun: "command",
  commands,
  defaultCommand: "run",
} as const satisfies Program;

/**
 * Runs the load tester from its command line.
 *
 * @throws {ExitError} If the command line is invalid, or nothing can be started.
 */
export async function runLoadTester(context: Context): Promise<ExitCode> {
  const told = parseCommandLine(program, { args: context.args, environment: processEnvironment });
  if ("text" in told) {
    new Log().result(told.text, {});
    return ExitCode.ok;
  }
  switch (told.command) {
    case "run":
      assertPermissions(told.options.target);
      assertCompanions(told, { ...ADMIN_COMPANIONS, ...AGENT_COMPANIONS });
      return await runFromOptions({ ...told.options, ...told.positionals }, context);
    case "agent":
      assertPermissions(told.options.listen);
      return await runAgent(told.options, context);
    case "capacity":
      assertPermissions(told.options.target);
      return await runCapacity({ ...told.options, ...told.positionals }, context);
    case "new":
      return await writeScenario(told.positionals.name, new Log());
    case "torture":
      assertPermissions(told.options.target);
      return await runTorture(told.options, context);
    case "verify":
      return await runVerify(told.positionals.file, told.options, new Log(told.options));
    case "compare":
      return await runCompare({ ...told.options, ...told.positionals }, context);
  }
}
