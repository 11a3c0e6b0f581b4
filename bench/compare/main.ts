/**
 * Winnow beside others in one run of the same browser: bash bench/run.sh [--quick] [--only smol-wasm,arms] [--threads 2] [--minutes 25] [--out FOLDER]
 * --quick: small models, to see that everything runs. --only: names of groups, of the measurements in plan.ts.
 * --contestants: ids of those who take part, e.g. ours,ort; then nothing of an earlier run is kept. --built: the page as it was built before, where Vite is not. --minutes: groups that would begin later are left out. Writes RESULTS.md and RESULTS.json (with --quick into .cache/bench, unless --out
 * says where). With --only, other groups that are there already stay, if they were measured with the same versions on the same machine.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform } from 'node:os';
import { resolve } from 'node:path';
import { openBrowser } from './browser.ts';
import { measureGroup, type GroupResult } from './measure.ts';
import { makeModel } from './models.ts';
import { among, planOf } from './plan.ts';
import { report, type Results } from './report.ts';
import { buildPage, serve } from './site.ts';

export async function main(args: string[]): Promise<number> {
	const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
	const quick = args.includes('--quick');
	const only = option('--only')?.split(',');
	const root = process.cwd();
	const work = `${root}/.cache/bench`;
	const out = resolve(option('--out') ?? (quick ? work : `${root}/bench`));
	const peers = `${root}/bench/peers/node_modules`;
	const versionOf = (folder: string): string => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')).version;
	const versions = {
		'TensorFlow.js': versionOf(`${root}/node_modules/@tensorflow/tfjs-core`), 'onnxruntime-web': versionOf(`${peers}/onnxruntime-web`),
		'transformers.js': versionOf(`${peers}/@huggingface/transformers`), '@genai-fi/nanogpt': versionOf(`${peers}/@genai-fi/nanogpt`)
	};
	const commit = option('--commit') ?? execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
	const say = (text: string) => console.log(text);

	if (!args.includes('--built')) {
		say('Building the page');
		await buildPage(root, `${work}/site`);
	}
	const { server, address } = await serve([
		['/models/', `${work}/models`], ['/ort/', `${peers}/onnxruntime-web/dist`],
		['/transformers-ort/', `${peers}/@huggingface/transformers/node_modules/onnxruntime-web/dist`], ['/', `${work}/site`]
	], true);
	const { browser, about } = await openBrowser(address);
	try {
		const threads = about.isolated ? Math.min(Number(option('--threads') ?? about.cores), about.cores) : 1;
		const options = { quick, about, threads, nanogptVersion: versions['@genai-fi/nanogpt'] };
		const asked = option('--contestants')?.split(',');
		const plan = planOf(options).filter(({ name }) => !only || only.includes(name)).map((group) => (asked ? among(group, asked) : group));
		if (plan.length === 0) throw new Error(`There is nothing called ${only?.join(' or ')}.`);
		say(`Chromium ${about.chromium}, WebGPU: ${about.adapter ?? 'none'}${about.software ? ' (software: its ratios say nothing about a GPU)' : ''}, ${threads} threads on WASM`);
		const results: Results = { quick, about, machine: `${cpus()[0]?.model.trim()} (${cpus().length} cores visible), ${platform()} ${arch()}`, versions, groups: [], leftOut: [] };
		const kept = only && !asked ? groupsOf(`${out}/RESULTS.json`, results) : [];
		const order = planOf(options).map(({ name }) => name);
		const end = performance.now() + Number(option('--minutes') ?? Infinity) * 60_000;
		for (const group of plan) {
			if (performance.now() > end) {
				say(`Out of time: ${group.title} (${group.name}) is left out.`);
				results.leftOut.push(group.title);
				continue;
			}
			say(`\n${group.title} (${group.name})`);
			await makeModel(`${work}/models/${group.model}`, group.config);
			const load = loadavg()[0] / cpus().length;
			const measured = { ...(await measureGroup(browser, group, { address, visit: quick ? 100 : 1000, say })), load, commit };
			results.groups = [...results.groups, measured];
			// After every group, so that a run that is stopped leaves what it has.
			mkdirSync(out, { recursive: true });
			const names = new Set(results.groups.map(({ name }) => name));
			const all = { ...results, groups: [...results.groups, ...kept.filter(({ name }) => !names.has(name))].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)) };
			writeFileSync(`${out}/RESULTS.json`, `${JSON.stringify(all, null, '\t')}\n`);
			writeFileSync(`${out}/RESULTS.md`, report(all));
		}
		say(`\n${report(results)}\nWritten to ${out}/RESULTS.md and RESULTS.json.`);
		return differing(results) ? 1 : 0;
	} finally {
		await browser.close();
		server.close();
	}
}

/** Groups of an earlier run with the same machine, browser and versions; none of another. */
function groupsOf(file: string, now: Results): GroupResult[] {
	if (!existsSync(file)) return [];
	const before = JSON.parse(readFileSync(file, 'utf8')) as Results;
	const about = ({ about, machine, versions }: Results) => JSON.stringify([about, machine, versions]);
	return about(before) === about(now) ? before.groups : [];
}

/** Whether somebody computed something else. */
function differing({ groups }: Results): boolean {
	return groups.some(({ measures }) => measures.some(({ lines }) => lines.some(({ check, difference }) => check === 'same' && difference !== undefined && !(difference <= 1e-3))));
}
