/** The table of all methods, made in pieces: measurements go to a work file as they come, the table is folded from them. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fold, measured } from '$lib/lab/sweep/fold.ts';
import type { TextResult } from '$lib/lab/sweep/measure.ts';
import { planSweep, runSweep, SWEEP_TASKS, type SweepOptions, type SweepPlan } from '$lib/lab/sweep/run.ts';
import { readWork, workHeader } from '$lib/lab/sweep/work.ts';
import { methods } from '$lib/methods/registry.ts';
import { onlyOptions, readArguments, UsageError, whole } from './arguments.ts';
import { openLab, readBackend, readWeights } from './engine.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Options that decide what is measured; the others only say where, and how much of it now. */
const DECIDING = ['model', 'methods', 'budgets', 'tasks', 'seeds', 'first', 'batch', 'backend', 'weights'];
/** Seeds that no test and no training looked at. */
const FIRST = 7000;

type Options = Map<string, string>;

function listed(options: Options, name: string, known: readonly string[]): string[] {
	const asked = options.get(name)?.split(',').filter(Boolean) ?? [...known];
	const wrong = asked.find((each) => !known.includes(each));
	if (wrong !== undefined || asked.length === 0) throw new UsageError(`--${name} must be a list out of ${known.join(', ')}${wrong === undefined ? '' : `, not ${wrong}`}`);
	return [...new Set(asked)];
}

export function readSweepOptions(options: Options): SweepOptions {
	const budgets = (options.get('budgets') ?? '0.5,0.25,0.125,0.06').split(',').map(Number);
	const wrong = budgets.find((budget) => !(budget > 0 && budget <= 1));
	if (wrong !== undefined) throw new UsageError('--budgets must be a list of shares above 0 and at most 1, such as 0.5,0.25');
	const given = DECIDING.filter((name) => options.has(name)).map((name) => ` --${name} ${options.get(name)}`);
	return {
		methods: listed(options, 'methods', [...methods.keys()]).map((id) => methods.get(id)!), budgets: [...new Set(budgets)],
		tasks: listed(options, 'tasks', Object.keys(SWEEP_TASKS)), seeds: { first: whole(options, 'first', FIRST), count: whole(options, 'seeds', 20) },
		batch: whole(options, 'batch', 8), command: `npm run winnow -- sweep${given.join('')}`
	};
}

/** `2/3`: the second of three parts. */
export function readPart(text = '1/1'): { index: number; of: number } {
	const found = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text);
	const part = { index: Number(found?.[1]), of: Number(found?.[2]) };
	if (!found || part.index > part.of) throw new UsageError(`--part must be like 1/2, the first of two, not ${text}`);
	return part;
}

/** All measurements of the work files in a folder. */
function readFolder(folder: string, header: string): TextResult[] {
	if (!existsSync(folder)) return [];
	return readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort().flatMap((name) => {
		const file = join(folder, name);
		try {
			return readWork(readFileSync(file, 'utf8'), header);
		} catch (error) {
			if (error instanceof RangeError) throw new UsageError(`${file} ${error.message}`);
			throw error;
		}
	});
}

/** Opens a work file to be added to: a line that was not finished is cut off. */
function openWork(file: string, header: string): void {
	mkdirSync(dirname(file), { recursive: true });
	const text = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
	const end = text.lastIndexOf('\n') + 1;
	if (end < text.length) truncateSync(file, end);
	if (end === 0) appendFileSync(file, `${header}\n`);
}

/** Writes the table if it is complete, or as far as it goes when `partly`. */
function writeTable(plan: SweepPlan, results: readonly TextResult[], out: string, partly: boolean): void {
	const { document, missing } = fold(plan, results);
	if (missing > 0 && !partly) {
		process.stderr.write(`${missing} measurements are not there yet, another part may have them to do; ${out} is written when they are.\n`);
		return;
	}
	mkdirSync(dirname(out), { recursive: true });
	// Rows a line each: the table can be read and compared as text.
	const { rows, ...rest } = document;
	const text = `${JSON.stringify({ ...rest, rows: [] }).slice(0, -2)}\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`;
	writeFileSync(`${out}.part`, text);
	renameSync(`${out}.part`, out);
	process.stderr.write(`${out}: ${rows.length} rows${missing ? `, ${missing} measurements are missing` : ''}\n`);
}

export async function sweep(args: string[], signal?: AbortSignal): Promise<void> {
	const { words, options } = readArguments(args, ['fold']);
	if (words.length) throw new UsageError(`sweep takes options only, not "${words[0]}"`);
	onlyOptions(options, [...DECIDING, 'out', 'work', 'part', 'fold']);
	const backend = readBackend(options.get('backend'));
	const weights = readWeights(options.get('weights'));
	const asked = readSweepOptions(options);
	const part = readPart(options.get('part'));
	const model = options.get('model') ?? 'nano';
	const name = model.replace(/[^A-Za-z0-9.-]+/g, '-');
	const out = options.get('out') ?? join(ROOT, 'static/sweeps', `${name}.json`);
	const folder = options.get('work') ?? join(ROOT, '.cache/sweep', name);
	const stop = new AbortController();
	const onInterrupt = () => stop.abort();
	const lab = await openLab(model, backend, weights);
	process.once('SIGINT', onInterrupt);
	try {
		const plan = await planSweep(lab, asked);
		const header = workHeader(plan, SWEEP_TASKS);
		const before = readFolder(folder, header);
		if (options.has('fold')) return writeTable(plan, before, out, true);
		const file = join(folder, `${part.index}-of-${part.of}.jsonl`);
		openWork(file, header);
		const from = performance.now();
		const both = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
		for await (const { result, done, of } of runSweep(lab, plan, new Set(measured(plan, before).keys()), part, both)) {
			appendFileSync(file, `${JSON.stringify(result)}\n`);
			const left = done ? `about ${Math.ceil(((performance.now() - from) / done) * (of - done) / 60_000)} minutes left` : 'the first is being measured';
			process.stderr.write(`${result.task} ${result.seed}: ${done} of ${of} texts, ${left}\n`);
		}
		writeTable(plan, readFolder(folder, header), out, false);
	} catch (error) {
		if (!stop.signal.aborted && !signal?.aborted) throw error;
		throw new Error('Stopped. What was measured is kept; the same command goes on from there.', { cause: error });
	} finally {
		process.off('SIGINT', onInterrupt);
		lab.dispose();
	}
}
