/** A graphics device or a thread that is lost, and what is said about the run that was brought back. */
import type { Trace } from '$lib/documents/trace.ts';
import { words } from '$lib/ui/words/index.ts';
import { failureKind } from './message.ts';

export function isLoss(error: unknown): boolean {
	const kind = failureKind(error);
	return kind === 'device' || kind === 'crash';
}

/** What is in the thread is of no use any more; and only an ended thread gives all its memory back. */
export function endsThread(error: unknown): boolean {
	return isLoss(error) || failureKind(error) === 'memory' || failureKind(error) === 'silent';
}

/** Says whether the repeated run took the same tokens: it does on the same engine. */
export function repeated(why: string, before: Trace, after: Trace, steps: number): string {
	const rows = (trace: Trace) => [trace.reference, ...trace.arms];
	for (let step = 0; step < steps; step++) {
		const differs = rows(before).some((row, i) => row.steps[step]?.token !== rows(after)[i]?.steps[step]?.token);
		if (differs) return words.recovery.differs(why, step + 1);
	}
	return words.recovery.done(why, steps);
}
