/** Statistics of a model that methods need, computed and written beside it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { calibrate } from '$lib/lab/calibrate/calibrate.ts';
import { KINDS } from '$lib/lab/calibrate/kinds.ts';
import { shippedFile } from '$lib/lab/calibrate/shipped.ts';
import { CALIBRATION_SEED } from '$lib/lab/calibrate/texts.ts';
import { placeOfModel } from '$lib/lab/lab.ts';
import { onlyOptions, readArguments, UsageError, whole } from './arguments.ts';
import { openLab, readBackend, readWeights, SITE } from './engine.ts';
import { modelIdOf } from './model.ts';

/** Texts of each task: about 20,000 tokens in all. */
const TEXTS = 10;

/** The model's folder. */
function folderOf(model: string): string {
	const place = placeOfModel(model, SITE);
	if (!existsSync(join(place, 'config.json'))) throw new UsageError(`${model} is no folder that can be written to; --out says where the files go`);
	return place;
}

export async function calibrateModel(args: string[]): Promise<void> {
	const { words, options } = readArguments(args, []);
	onlyOptions(options, ['model', 'seeds', 'first', 'out', 'backend', 'weights']);
	const known = Object.keys(KINDS);
	const wrong = words.find((word) => !known.includes(word));
	if (wrong !== undefined) throw new UsageError(`there is nothing called "${wrong}" to compute; there are ${known.join(', ')}`);
	const names = words.length ? known.filter((name) => words.includes(name)) : known;
	const seeds = { first: whole(options, 'first', CALIBRATION_SEED), count: whole(options, 'seeds', TEXTS) };
	const backend = readBackend(options.get('backend'));
	const weights = readWeights(options.get('weights'));
	const model = modelIdOf(options.get('model') ?? 'nano');
	const folder = options.get('out') ?? folderOf(model);
	const lab = await openLab(model, backend, weights);
	try {
		const files = await calibrate(lab, { names, seeds, onProgress: (done, of) => process.stderr.write(`text ${done + 1} of ${of}\n`) });
		for (const file of files) {
			const path = join(folder, shippedFile(file.name));
			mkdirSync(dirname(path), { recursive: true });
			writeFileSync(path, `${JSON.stringify(file, null, '\t')}\n`);
			process.stderr.write(`${path}: from ${file.texts!.texts} texts of ${file.texts!.tokens} tokens\n`);
		}
	} finally {
		lab.dispose();
	}
}
