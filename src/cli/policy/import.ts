/** `gatehouse policy import`: documents that were exported from Graph, into the draft. */
import type { Command } from "commander";
import {
  type ImportFinding,
  type ImportProblem,
  type ImportReading,
  type ImportedPolicy,
  applyImport,
  readImport,
} from "../../control/import-documents.js";
import { EXIT } from "../exit-code.js";
import { UsageError } from "../failure.js";
import { type ActOptions, asAct } from "../act.js";
import { JSON_OPTION } from "../options.js";
import { note, paintErr, paintOut, print, printJson, wrapLine } from "../terminal.js";
import { NOT_IN_FORCE, editDraft } from "./administer.js";
import { readFiles } from "./read-files.js";
import { audienceWords, kindWords, many } from "./words.js";

const EXAMPLE = `
Example:
  $ gatehouse policy import samples/policies/contoso-ios-level2.json samples/policies/finance
  $ gatehouse policy import assignments.json --policy 6f1d2c84

Takes iosManagedAppProtection, androidManagedAppProtection, defaultManagedAppProtection and conditionalAccessPolicy
documents and lists of assignments, as Graph answers them. All of it is imported, or nothing: if anything is wrong in any
file, every problem is listed and the exit code is 3. A policy whose id the draft has is replaced.
Values that can't be understood, but do no harm, are replaced and reported; --strict makes them problems.`;

interface ImportOptions extends ActOptions {
  readonly policy?: string;
  readonly strict?: true;
  readonly dryRun?: true;
  readonly verbose?: true;
  readonly json?: true;
}

export function policyImportCommand(policy: Command): void {
  asAct(policy.command("import"))
    .summary("import policies that were exported from Graph")
    .description("Imports policy documents into the draft. Of a directory, every .json file is read.")
    .argument("<file...>", "files and directories; - for stdin")
    .option("--policy <policy>", "the policy that lists of assignments are for, where they name none")
    .option("--strict", "import nothing where a value had to be replaced")
    .option("--dry-run", "read and report, and import nothing; needs no Redis")
    .option("--verbose", "say each value that was replaced")
    .option(...JSON_OPTION)
    .addHelpText("after", EXAMPLE)
    .action(importPolicies);
}

async function importPolicies(named: readonly string[], options: ImportOptions): Promise<void> {
  const reading = readImport(await readFiles(named));
  const findings = [...reading.findings, ...(options.policy === undefined ? [] : assignmentFindings(reading))];
  const problems = options.strict ? [...reading.problems, ...findings.map(strictProblem)] : reading.problems;
  if (problems.length > 0) return refuse(problems, options);
  checkAnything(reading, options);

  // Lists of assignments have nowhere to go without a policy.
  const leftOut = options.policy === undefined ? reading.assignments.map(({ file }) => file) : [];
  const { imported, isChanged } = options.dryRun
    ? { imported: read(reading), isChanged: false }
    : await intoDraft(reading, options);
  if (options.json) {
    return printJson({
      imported,
      assigned: options.policy ?? null,
      findings,
      passedOver: reading.passedOver,
      assignmentsLeftOut: leftOut,
      dryRun: options.dryRun === true,
    });
  }
  showReport(reading, imported, findings, leftOut, options);
  if (options.dryRun) note("Nothing was imported: this was a dry run.");
  else note(isChanged ? NOT_IN_FORCE : "The draft said all this already.");
}

async function intoDraft(
  reading: ImportReading,
  { policy: assign, ...options }: ImportOptions,
): Promise<{ imported: readonly ImportedPolicy[]; isChanged: boolean }> {
  const about = { policies: reading.policies.map(({ policy: { id } }) => id), assignedTo: assign };
  const { imported, diff } = await editDraft(options, { act: "policy.import", about }, (content) =>
    applyImport(content, reading, assign),
  );
  return { imported, isChanged: diff.policies.length > 0 };
}

const read = ({ policies }: ImportReading): readonly Pick<ImportedPolicy, "id" | "name" | "file">[] =>
  policies.map(({ policy: { id, name }, file }) => ({ id, name, file }));

/** @throws UsageError if what was named holds nothing to import */
function checkAnything({ policies, assignments, passedOver }: ImportReading, { policy }: ImportOptions): void {
  const [list] = assignments;
  const [other] = passedOver;
  if (policy !== undefined && list === undefined) {
    throw new UsageError("--policy is given, and no file holds a list of assignments", { fix: "Leave --policy out." });
  }
  if (policy !== undefined && assignments.length > 1) {
    const files = assignments.map(({ file }) => file).join(", ");
    throw new UsageError(`several lists of assignments can't be for one policy: ${files}`, {
      fix: "Import them one by one, each with the --policy that it is for.",
    });
  }
  if (policies.length > 0 || policy !== undefined) return;
  if (list !== undefined) {
    throw new UsageError(`${list.file} holds assignments, and does not say of which policy`, {
      fix: "Name it: --policy ID. `gatehouse policy list` shows the ids.",
    });
  }
  throw new UsageError(
    other === undefined
      ? "there is nothing to import: no policy was found"
      : `${other.file} holds no policy, but ${other.what}`,
    { fix: other?.hint ?? "Name files that were exported from Graph." },
  );
}

const assignmentFindings = ({ assignments }: ImportReading): readonly ImportFinding[] =>
  assignments.flatMap(({ findings }) => findings);

function showReport(
  { policies, passedOver }: ImportReading,
  imported: readonly (Pick<ImportedPolicy, "id" | "name"> & Partial<ImportedPolicy>)[],
  findings: readonly ImportFinding[],
  leftOut: readonly string[],
  { verbose, policy }: ImportOptions,
): void {
  const details = new Map(policies.map((one) => [`${one.file}/${one.policy.id}`, one]));
  for (const { id, name, file, change, keptAssignments } of imported) {
    const one = details.get(`${file}/${id}`);
    const kind = one === undefined ? "" : paintOut("dim", `  ${kindWords(one)}`);
    print(`${(change ?? "read").padEnd(9)}  ${paintOut("bold", name)}${kind}`);
    print(`           ${id}`);
    if (keptAssignments) print("           the export does not say whom it is for: the draft's assignments stay");
    else if (one !== undefined) for (const line of wrapLine(`           for ${audienceWords(one)}`, 2)) print(line);
  }
  if (policy !== undefined) print(`assigned   ${policy}`);
  for (const { file, what, hint } of passedOver) note(`${paintErr("dim", "passed over")}  ${file}: ${what}. ${hint}`);
  for (const file of leftOut) {
    note(`${paintErr("yellow", "left out")}  ${file}: assignments that name no policy. Import it with --policy ID.`);
  }
  if (findings.length === 0) return;
  if (verbose) for (const finding of findings) note(`${paintErr("yellow", "replaced")}  ${findingWords(finding)}`);
  else {
    const files = new Set(findings.map(({ file }) => file));
    note(
      `${paintErr("yellow", "warning")}  ${many(findings.length, "value", "values")} in ${many(files.size, "file", "files")} can't be used as said; --verbose names each.`,
    );
    for (const finding of findings.filter(isWeighty)) note(`  ${findingWords(finding)}`);
  }
}

/** What changes whom or how a policy protects is said in any case. */
const isWeighty = ({ property }: ImportFinding): boolean => /^(grantControls|assignments|state)/.test(property);

function findingWords({ file, property, value, expected, usedInstead }: ImportFinding): string {
  const said = value === undefined ? "is not there" : `is ${JSON.stringify(value)}`;
  const used =
    usedInstead === null ? "off" : typeof usedInstead === "string" ? usedInstead : JSON.stringify(usedInstead);
  return `${file}: ${property} ${said}; expected: ${expected}; used instead: ${used}`;
}

function strictProblem(finding: ImportFinding): ImportProblem {
  const { file, property, expected } = finding;
  return {
    file,
    path: `$.${property}`,
    code: "import.strict",
    message: "The value can't be used as said.",
    fix: `Expected: ${expected}. Without --strict it is replaced.`,
  };
}

function refuse(problems: readonly ImportProblem[], { json }: ImportOptions): void {
  const message = `nothing was imported: ${many(problems.length, "problem", "problems")}`;
  if (json) printJson({ error: { code: "import.refused", message }, problems });
  note(`${paintErr(["bold", "red"], "error")} ${paintErr("dim", "import.refused")}  ${message}`);
  for (const { file, path, code, message: what, fix } of problems) {
    note(`  ${file} ${path}  ${paintErr("dim", code)}`);
    note(`    ${what} ${fix}`);
  }
  process.exitCode = EXIT.refused;
}
