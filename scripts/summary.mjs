// Adds up what the runners counted and prints it as one plain line. Exit 1 on any failure, or when
// nothing ran.
import { readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };
// Browser tests that passed only when they were run again: counted as passed, but said.
let again = 0;
for (const file of process.argv.slice(2)) {
	let report;
	try {
		report = JSON.parse(readFileSync(file, 'utf8'));
	} catch {
		console.log(`${file.split('/').pop()}: no report, the runner did not finish`);
		total.failed += 1;
		continue;
	}
	if (report.stats) {
		total.passed += report.stats.expected + report.stats.flaky;
		again += report.stats.flaky;
		total.failed += report.stats.unexpected + (report.errors?.length ?? 0);
		total.skipped += report.stats.skipped;
	} else {
		total.passed += report.numPassedTests;
		total.failed += report.numFailedTests + report.testResults.filter((r) => r.status === 'failed' && r.assertionResults.length === 0).length;
		total.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
	}
}
if (again > 0) console.log(`${again} passed only the second time; the list above names them as flaky`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
