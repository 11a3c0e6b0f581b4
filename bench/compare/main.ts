/**
 * Winnow beside others in one run of the same browser: bash bench/run.sh [--quick] [--only smol-wasm,arms] [--threads 2] [--minutes 25] [--out FOLDER]
 * --quick: small models, to see that everything runs. --only: names of groups, of the measurements in plan.ts.
 * --minutes: groups that would begin later are left out. Writes RESULTS.md and RESULTS.json (with --quick or --only into .cache/bench, unless --out says where).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform } from 'node:os';
import { resolve } from 'node:path';
import { openBrowser } from './browser.ts';
import { measureGroup } from './measure.ts';
import { makeModel } from './models.ts';
import { planOf } from './plan.ts';
import { report, type Results } from './report.ts';
import { buildPage, serve } from './site.ts';

export async function main(args: string[]): Promise<number> {
	const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
	const quick = args.includes('--quick');
	const only = option('--only')?.split(',');
	const root = process.cwd();
	const work = `${root}/.cache/bench`;
	const out = resolve(option('--out') ?? (quick || only ? work : `${root}/bench`));
	const peers = `${root}/bench/peers/node_modules`;
	const versionOf = (folder: string): string => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')).version;
	const versions = {
		'TensorFlow.js': versionOf(`${root}/node_modules/@tensorflow/tfjs-core`), 'onnxruntime-web': versionOf(`${peers}/onnxruntime-web`),
		'transformers.js': versionOf(`${peers}/@huggingface/transformers`), '@genai-fi/nanogpt': versionOf(`${peers}/@genai-fi/nanogpt`)
	};
	const load = loadavg()[0] / cpus().length;
	const say = (text: string) => console.log(text);

	say('Building the page');
	await buildPage(root, `${work}/site`);
	const { server, address } = await serve([
		['/models/', `${work}/models`], ['/ort/', `${peers}/onnxruntime-web/dist`],
		['/transformers-ort/', `${peers}/@huggingface/transformers/node_modules/onnxruntime-web/dist`], ['/', `${work}/site`]
	], true);
	const { browser, about } = await openBrowser(address);
	try {
		const threads = about.isolated ? Math.min(Number(option('--threads') ?? about.cores), about.cores) : 1;
		const plan = planOf({ quick, about, threads, nanogptVersion: versions['@genai-fi/nanogpt'] }).filter(({ name }) => !only || only.includes(name));
		if (plan.length === 0) throw new Error(`There is nothing called ${only?.join(' or ')}.`);
		say(`Chromium ${about.chromium}, WebGPU: ${about.adapter ?? 'none'}${about.software ? ' (software: its ratios say nothing about a GPU)' : ''}, ${threads} threads on WASM, load ${load.toFixed(1)} a core`);
		const results: Results = { quick, about, machine: `${cpus()[0]?.model.trim()} (${cpus().length} cores visible), ${platform()} ${arch()}`, versions, load, groups: [], leftOut: [] };
		const end = performance.now() + Number(option('--minutes') ?? Infinity) * 60_000;
		for (const group of plan) {
			if (performance.now() > end) {
				say(`Out of time: ${group.title} (${group.name}) is left out.`);
				results.leftOut.push(group.title);
				continue;
			}
			say(`\n${group.title} (${group.name})`);
			await makeModel(`${work}/models/${group.model}`, group.config);
			results.groups.push(await measureGroup(browser, group, { address, visit: quick ? 100 : 1000, say }));
			// After every group, so that a run that is stopped leaves what it has.
			mkdirSync(out, { recursive: true });
			writeFileSync(`${out}/RESULTS.json`, `${JSON.stringify(results, null, '\t')}\n`);
			writeFileSync(`${out}/RESULTS.md`, report(results));
		}
		say(`\n${report(results)}\nWritten to ${out}/RESULTS.md and RESULTS.json.`);
		return differing(results) ? 1 : 0;
	} finally {
		await browser.close();
		server.close();
	}
}

/** Whether somebody computed something else. */
function differing({ groups }: Results): boolean {
	return groups.some(({ measures }) => measures.some(({ lines }) => lines.some(({ check, difference }) => check === 'same' && difference !== undefined && !(difference <= 1e-3))));
}
