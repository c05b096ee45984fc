/** Takes registrations in, file by file and piece by piece, and tells what became of each. */
import type { TenantSettings } from "../../../machines/policy/settings.js";
import { DEFAULT_SETTINGS } from "../../../machines/policy/settings.js";
import { readConfig } from "../../config.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { jsonPointer } from "../../ingest/refusal.js";
import { type Outgoing, Sender } from "../../ingest/sender.js";
import { registrationEvents } from "../../registrations/registration-events.js";
import { type Registration, readRegistration } from "../../registrations/registration.js";
import { unwrapped } from "../../registrations/unwrap.js";
import { look } from "../../sessions/look.js";
import { type ActOptions, record } from "../act.js";
import { NotTakenList, type Problem } from "../emit/not-taken.js";
import { type PlaceKind, splitEvents } from "../../ingest/split-events.js";
import { EXIT } from "../exit-code.js";
import { openInput, showProgress } from "../input-file.js";
import { openRunning } from "../redis-access.js";
import { count, note, paintErr, print, printJson } from "../terminal.js";

/** A registration of Graph is about 1 KiB. */
const REGISTRATION_BYTES = 64 * 1024;

export interface ImportOptions extends ActOptions {
  readonly json?: true;
  readonly retryFor: number;
}

/** A registration at its place in the file. */
interface Placed {
  readonly place: number;
  readonly registration: Registration;
}

export async function importRegistrations(files: readonly string[], options: ImportOptions): Promise<void> {
  const config = readConfig();
  const inputs = await Promise.all(files.map(openInput));
  const deployment = await openRunning(config);
  const reports: FileReport[] = [];
  const startedAt = performance.now();
  const where = { ...config, redis: deployment.redis };
  try {
    await record(where, options, { act: "registrations.import" }, async ({ touch }) => {
      const apps = await appsOf(deployment, config.tenant);
      for (const [n, input] of inputs.entries()) {
        const progress = showProgress(input.bytes, "registrations");
        try {
          const split = splitEvents(unwrapped(input.read(progress.read)), {
            maxBytes: REGISTRATION_BYTES,
            isWrapped: true,
          });
          const report = new FileReport(files[n] as string, () => split.kind);
          reports.push(report);
          const sender = new Sender(deployment, config.tenant, {
            retryForMs: options.retryFor,
            onNotTaken: (place, problem) => report.refuse(place, problem),
            onOutage: (outage) =>
              progress.say(outage === "began" ? "Redis does not answer; trying again …" : "Redis answers again."),
          });
          for await (const chunk of split.chunks) {
            const found = chunk.flatMap((one) => read(one, apps, report));
            const fresh = await withoutSession(deployment, config.tenant, found);
            report.known += found.length - fresh.length;
            report.begun += fresh.length;
            await sender.send(
              fresh.flatMap(({ place, registration }) =>
                registrationEvents(registration).map((input) => ({ place, input })),
              ),
            );
            progress.done(chunk.length);
            touch({ sessions: reports.reduce((sum, { begun }) => sum + begun, 0) });
          }
        } finally {
          progress.stop();
        }
      }
    });
  } finally {
    for (const input of inputs) input.close();
    await deployment.close();
  }
  if (options.json) printJson({ files: reports.map((report) => report.document()) });
  else {
    for (const report of reports) report.show((performance.now() - startedAt) / 1_000);
  }
  if (reports.some(({ notTaken }) => notTaken.size > 0)) process.exitCode = EXIT.refused;
}

async function appsOf({ catalogues }: OpenDeployment, tenant: string): Promise<TenantSettings["apps"]> {
  const version = await catalogues.current(tenant);
  return version === 0 ? DEFAULT_SETTINGS.apps : (await catalogues.catalogue(tenant, version)).settings.apps;
}

function read(one: Outgoing, apps: TenantSettings["apps"], report: FileReport): readonly Placed[] {
  report.read++;
  const { place } = one;
  if ("refusal" in one) {
    report.refuse(place, one.refusal);
    return [];
  }
  const found = readRegistration(one.input, apps);
  if ("passedOver" in found) report.passOver(place, found.passedOver);
  else if ("message" in found) {
    report.refuse(place, {
      code: "registration.invalid",
      path: jsonPointer(found.path),
      message: found.message,
      fix: "Send managedAppRegistration objects as Graph gives them.",
    });
  } else {
    for (const { property, name } of found.registration.replaced) report.replace(place, property, name);
    return [{ place, registration: found.registration }];
  }
  return [];
}

/**
 * Those whose sessions have not begun. One that stopped half-way in an earlier import is among them: what was taken in then is a
 * duplicate now.
 */
async function withoutSession(
  deployment: OpenDeployment,
  tenant: string,
  found: readonly Placed[],
): Promise<readonly Placed[]> {
  const isNew = await Promise.all(
    found.map(async ({ registration: { device, user, app } }) => {
      const { session } = await look(deployment, `${tenant}/${device}/${user}/${app}`);
      return session === undefined || (!("unreadable" in session) && session.facts.enrollment === "checking");
    }),
  );
  return found.filter((_, n) => isNew[n]);
}

/** Said to a reader; `--json` lists up to `KEPT`. */
const SHOWN = 10;
const KEPT = 1_000;

class FileReport {
  read = 0;
  /** Sessions that begin with it. */
  begun = 0;
  /** Whose session is there already. */
  known = 0;
  readonly notTaken = new NotTakenList();
  private passedOver = 0;
  private replaced = 0;
  private readonly remarks: { readonly place: number; readonly remark: string }[] = [];

  constructor(
    private readonly file: string,
    private readonly kind: () => PlaceKind,
  ) {}

  refuse(place: number, problem: Problem | "conflict"): void {
    this.notTaken.add(this.kind(), place, problem);
  }

  passOver(place: number, why: string): void {
    this.passedOver++;
    this.remark(place, `passed over: ${why}`);
  }

  replace(place: number, property: string, name: string): void {
    this.replaced++;
    this.remark(place, `its ${property} can't be a name here; it goes by ${name}`);
  }

  document(): object {
    const { file, read, begun, known, passedOver, replaced, notTaken } = this;
    return {
      file,
      read,
      begun,
      known,
      passedOver,
      refused: notTaken.size,
      replacedNames: replaced,
      remarks: this.remarks.map(({ place, remark }) => ({ [this.kind()]: place, remark })),
      remarksOmitted: passedOver + replaced - this.remarks.length,
      refusals: notTaken.kept,
      refusalsOmitted: notTaken.size - notTaken.kept.length,
    };
  }

  show(seconds: number): void {
    for (const { place, remark } of this.remarks.slice(0, SHOWN)) {
      note(`${paintErr("yellow", `${this.file}, ${this.kind()} ${place}`)}  ${remark}`);
    }
    const more = this.passedOver + this.replaced - Math.min(SHOWN, this.remarks.length);
    if (more > 0) note(`… and ${count(more)} more such remarks; --json lists up to ${count(KEPT)}.`);
    this.notTaken.show();
    const { read, begun, known, passedOver, notTaken } = this;
    print(
      `${this.file}: ${count(read)} read = ${count(begun)} sessions begun + ${count(known)} there already + ${count(passedOver)} passed over` +
        ` + ${count(notTaken.size)} refused; ${count(Math.round(read / seconds))}/s`,
    );
  }

  private remark(place: number, remark: string): void {
    if (this.remarks.length < KEPT) this.remarks.push({ place, remark });
  }
}
