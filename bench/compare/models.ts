/**
 * The models that everybody runs, made from a seed: a Hugging Face directory for us and for the
 * stock ops, and the same weights as an ONNX graph for onnxruntime-web and transformers.js.
 */
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import { HF_RANDOM, randomLlama } from '../../src/lib/model/random-llama.ts';
import { llamaGraph, type Piece } from '../peers/onnx/llama.ts';
import { layoutOf, numbersOf, type SafetensorsLayout } from '../page/safetensors.ts';
import type { Config } from './shapes.ts';

/** Raised when the files would come out differently. */
const VERSION = 4;
const DATA = 'model.onnx_data';

/** Makes the directory `dir` unless it is there already. */
export async function makeModel(dir: string, config: Config): Promise<void> {
	const stamp = JSON.stringify({ version: VERSION, config });
	const stampFile = `${dir}/made-from.json`;
	if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
	rmSync(dir, { recursive: true, force: true });
	mkdirSync(`${dir}/onnx`, { recursive: true });
	const source = randomLlama(config, HF_RANDOM);
	for (const file of ['config.json', 'tokenizer.json']) writeFileSync(`${dir}/${file}`, JSON.stringify(await source.json(file)));
	writeFileSync(`${dir}/tokenizer_config.json`, JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', bos_token: '<|bos|>', eos_token: '<|end|>' }));
	writeFileSync(`${dir}/generation_config.json`, JSON.stringify({ bos_token_id: 0, eos_token_id: 1 }));
	const weights = new Uint8Array((await source.bytes('model.safetensors'))!);
	writeFileSync(`${dir}/model.safetensors`, weights);
	const graph = llamaGraph(config, DATA);
	writeFileSync(`${dir}/onnx/model.onnx`, graph.bytes);
	writeData(`${dir}/onnx/${DATA}`, graph.pieces, weights);
	writeFileSync(stampFile, stamp);
}

function writeData(file: string, pieces: Piece[], weights: Uint8Array): void {
	const layout = layoutOf(weights);
	const out = openSync(file, 'w');
	for (const piece of pieces) {
		const numbers = numbersOfPiece(piece, layout, weights);
		writeSync(out, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), 0, numbers.byteLength, piece.offset);
	}
	closeSync(out);
}

function numbersOfPiece({ parts, turned, dims }: Piece, layout: SafetensorsLayout, weights: Uint8Array): Float32Array {
	const numbers = new Float32Array(dims.reduce((a, b) => a * b, 1));
	let at = 0;
	for (const part of parts) {
		const own = numbersOf(weights, layout, part);
		numbers.set(own, at);
		at += own.length;
	}
	if (!turned) return numbers;
	const [inputs, outputs] = dims;
	const columns = new Float32Array(numbers.length);
	for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) columns[i * outputs + o] = numbers[o * inputs + i];
	return columns;
}
