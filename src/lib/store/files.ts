/** Which files make a model, of all that a repository or a dropped folder holds. */
import { ModelError } from '$lib/model/error.ts';

interface Found {
	path: string;
	size: number;
}

/** Beside the weights; the first two are needed unless the weights carry them (GGUF). */
const SMALL = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja', 'generation_config.json'];
const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;

/**
 * The files to fetch or keep, small ones first. `file` names the one that is wanted where there are
 * several models (GGUF). Throws ModelError that says what is missing.
 */
export function chooseFiles(found: readonly Found[], where: string, file: string | null = null): Found[] {
	const at = new Map(found.map((entry) => [entry.path, entry]));
	const small = SMALL.flatMap((path) => at.get(path) ?? []);
	if (file) {
		const chosen = at.get(file);
		if (!chosen) throw new ModelError(`${where} has no file ${file}.`);
		return [...small, chosen];
	}
	const weights = weightsOf(found, at, where);
	if (!weights[0].path.endsWith('.gguf')) {
		for (const path of ['config.json', 'tokenizer.json']) {
			if (!at.has(path)) throw new ModelError(`${where} has no ${path}, without which its weights cannot be read.`);
		}
	}
	return [...small, ...weights];
}

function weightsOf(found: readonly Found[], at: Map<string, Found>, where: string): Found[] {
	const single = at.get('model.safetensors');
	if (single) return [single];
	const shards = found.filter(({ path }) => SHARD.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
	const index = at.get(INDEX);
	if (index && shards.length > 0) return [index, ...shards];
	const gguf = found.filter(({ path }) => /\.gguf$/i.test(path));
	if (gguf.length === 1) return gguf;
	if (gguf.length > 1) {
		throw new ModelError(`${where} holds ${gguf.length} models. Name one of them, as ORG/NAME#FILE: ${gguf.slice(0, 6).map(({ path }) => path).join(', ')}${gguf.length > 6 ? ', …' : ''}.`);
	}
	const others = found.filter(({ path }) => /\.(bin|pt|pth|onnx|h5|msgpack|npz)$/i.test(path));
	throw new ModelError(others.length
		? `${where} has weights only in a form that cannot be read here (${others[0].path}). It takes safetensors or GGUF.`
		: `${where} has no weights: neither model.safetensors nor a .gguf file.`);
}

/** Dropped files as a model: a folder's own name is taken off their paths. Throws ModelError. */
export function modelOfFiles(files: readonly File[]): { name: string; files: Map<string, File> } {
	const paths = files.map((file) => ({ file, path: file.webkitRelativePath || file.name }));
	const weights = paths.find(({ path }) => /\.(safetensors|gguf)$/i.test(path));
	if (!weights) throw new ModelError('There are no weights among these files. Drop a folder with config.json, tokenizer.json and model.safetensors, or one .gguf file.');
	const folder = weights.path.slice(0, weights.path.lastIndexOf('/') + 1);
	const inside = new Map(paths.filter(({ path }) => path.startsWith(folder)).map(({ path, file }) => [path.slice(folder.length), file]));
	const chosen = chooseFiles([...inside].map(([path, file]) => ({ path, size: file.size })), folder ? `The folder ${folder.slice(0, -1)}` : 'What was dropped');
	const name = folder ? folder.slice(0, -1).split('/').pop()! : weights.file.name.replace(/\.(safetensors|gguf)$/i, '');
	return { name: name.replace(/[^\w.-]+/g, '-'), files: new Map(chosen.map(({ path }) => [path, inside.get(path)!])) };
}
