import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import type { Experiment } from '$lib/documents/experiment.ts';
import { parseExperimentText } from '$lib/documents/schema.ts';
import type { Result } from '$lib/lab/result.ts';
import type { Run } from '$lib/lab/run.ts';
import { onlyOptions, readArguments, UsageError, type Arguments } from './arguments.ts';
import { openLab, readBackend, readWeights } from './engine.ts';

export async function readDocument(file: string | undefined): Promise<Experiment> {
	if (file === undefined) throw new UsageError('which experiment? Give a file, or - for standard input');
	const text = file === '-' ? await readStream(process.stdin) : await readFile(file, 'utf8').catch((error: Error) => {
		throw new UsageError(`${file} cannot be read: ${error.message}`);
	});
	return parseExperimentText(text, { unknown: 'error' }).experiment;
}

/** Runs the document to its end. */
export async function perform<T>({ words, options }: Arguments, record: boolean, use: (run: Run) => Promise<T>): Promise<T> {
	const backend = readBackend(options.get('backend'));
	const weights = readWeights(options.get('weights'));
	const experiment = await readDocument(words[0]);
	const lab = await openLab(experiment.model, backend, weights);
	try {
		const run = await lab.start(experiment, { record });
		await run.advance();
		return await use(run);
	} finally {
		lab.dispose();
	}
}

export async function runFile(args: string[]): Promise<Result> {
	const given = readArguments(args, []);
	onlyOptions(given.options, ['backend', 'weights']);
	if (given.words.length > 1) throw new UsageError('one experiment at a time');
	return perform(given, false, async (run) => run.result());
}
