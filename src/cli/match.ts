/** One arm of an experiment, set to the bytes of another. */
import { matchWords, type ByteMatch } from '$lib/documents/match.ts';
import type { Experiment, MatchBytes } from '$lib/documents/experiment.ts';
import { strip } from '$lib/documents/schema.ts';
import { resolveMatches } from '$lib/lab/match.ts';
import { onlyOptions, readArguments, UsageError } from './arguments.ts';
import { openLab, readBackend, readWeights } from './engine.ts';
import { readDocument } from './run.ts';

/** `--to`: a number below the number of arms is an arm, any other whole number bytes. */
function readTarget(text: string | undefined, arms: number): MatchBytes {
	if (text === undefined || !/^\d+$/.test(text) || (Number(text) < 1 && arms === 0)) throw new UsageError('--to must be the number of an arm, from 0, or a number of bytes');
	return Number(text) < arms ? { arm: Number(text) } : { bytes: Number(text) };
}

function readArm(text: string | undefined, arms: number): number {
	if (text === undefined || !/^\d+$/.test(text) || Number(text) >= arms) {
		throw new UsageError(arms ? `--arm must be the number of an arm, 0 to ${arms - 1}` : 'this experiment has no arm to match');
	}
	return Number(text);
}

/** The changed document as text, without what it leaves out; what was found goes to standard error. */
export async function matchFile(args: string[]): Promise<string> {
	const { words, options } = readArguments(args, []);
	onlyOptions(options, ['arm', 'to', 'backend', 'weights']);
	if (words.length > 1) throw new UsageError('one experiment at a time');
	const backend = readBackend(options.get('backend'));
	const weights = readWeights(options.get('weights'));
	const experiment = await readDocument(words[0]);
	const arm = readArm(options.get('arm'), experiment.arms.length);
	const matchBytes = readTarget(options.get('to'), experiment.arms.length);
	const asking: Experiment = { ...experiment, arms: experiment.arms.map((each, i) => (i === arm ? { ...each, matchBytes } : each)) };
	const lab = await openLab(experiment.model, backend, weights);
	try {
		const { experiment: found, matches } = await resolveMatches(lab, asking);
		matches.forEach((match: ByteMatch | null, i) => match && process.stderr.write(`arms[${i}]: ${matchWords(match)}\n`));
		return JSON.stringify(strip(found), null, '\t');
	} finally {
		lab.dispose();
	}
}
