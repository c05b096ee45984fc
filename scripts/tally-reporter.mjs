/** A vitest reporter for machines: after everything else, `N passed, N failed` alone on a line. */
export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length };
    for (const module of modules) {
      // A file or suite that breaks outside its tests fails, though no test of it may ever have run.
      if (module.errors().length > 0) tally.failed += 1;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) tally.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed") tally[state] += 1;
      }
    }
    process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed\n`);
  }
}
