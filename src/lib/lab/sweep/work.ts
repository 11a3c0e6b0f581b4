/** The work file of a sweep: what it is about in the first line, then one line for each batch that was measured. */
import type { SweepPlan } from './run.ts';
import type { TextResult } from './measure.ts';

/** What all measurements of a file have in common; those of another sweep cannot be taken over. */
export function workHeader({ model, engine }: Pick<SweepPlan, 'model' | 'engine'>, tasks: Readonly<Record<string, unknown>>): string {
	return JSON.stringify({ sweep: 1, model, engine, tasks });
}

/**
 * The measurements of a work file. A last line that was not finished is left out. Throws RangeError, in a sentence,
 * when the file belongs to another sweep or is damaged.
 */
export function readWork(text: string, header: string): TextResult[] {
	const [first, ...lines] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
	if (first === undefined) return [];
	if (first !== header) throw new RangeError('was made with another model, engine or other tasks; move it away, or give another --work');
	return lines.map((line, i) => {
		try {
			return JSON.parse(line) as TextResult;
		} catch {
			throw new RangeError(`is damaged in line ${i + 2}; take that line out`);
		}
	});
}
