/** A GGUF file as a checkpoint: configuration, tokenizer and tensors as Hugging Face would store them. */
import { ModelError } from '../error.ts';
import { rowsOf, toFloat32, type StoredTensor, type TensorSource } from '../stored.ts';
import type { StoredFile } from '../stored-file.ts';
import { architectureOf, configOf } from './config.ts';
import { readGgufHeader, type GgufHeader, type GgufTensor } from './header.ts';
import { conversionOf, hubName, unpaired } from './names.ts';
import { tokenizerOf } from './tokenizer.ts';

export interface GgufCheckpoint {
	/** As in config.json. */
	config: Record<string, unknown>;
	/** As in tokenizer.json and tokenizer_config.json. */
	tokenizer: { json: object; config: object };
	tensors: TensorSource;
}

/** Reads the header and nothing of the weights. Throws ModelError with a sentence for the reader. */
export async function openGguf(file: StoredFile): Promise<GgufCheckpoint> {
	const header = await readGgufHeader(file);
	const parts = header.metadata.get('split.count');
	if (typeof parts === 'number' && parts > 1) {
		throw new ModelError(`${file.name} is one of ${parts} parts. Join them first (llama-gguf-split --merge), or choose a file that is whole.`);
	}
	const divisors = header.tensors.get('rope_freqs.weight');
	const config = configOf(header, file.name, divisors ? toFloat32(await stored(file, 'rope_freqs.weight', divisors)) : null);
	// A file of few bytes could otherwise ask for any number of layers.
	if (Number(config.num_hidden_layers ?? config.n_layer) > header.tensors.size) {
		throw new ModelError(`${file.name} is damaged: it speaks of more layers than it has tensors.`);
	}
	return { config, tokenizer: tokenizerOf(header, file.name), tensors: tensorsOf(file, header, config) };
}

async function stored(file: StoredFile, name: string, { dtype, shape, from, to }: GgufTensor): Promise<StoredTensor> {
	return { name, dtype, shape, bytes: await file.bytes(from, to) };
}

function tensorsOf(file: StoredFile, header: GgufHeader, config: Record<string, unknown>): TensorSource {
	const architecture = architectureOf(header, file.name);
	const own = new Map<string, string>();
	for (const name of header.tensors.keys()) {
		const hub = hubName(architecture, name);
		if (hub) own.set(hub, name);
	}
	return {
		names: () => [...own.keys()],
		describe(name) {
			const tensor = header.tensors.get(own.get(name) ?? '');
			if (!tensor) return undefined;
			return conversionOf(architecture, own.get(name)!) === 'turned' ? { dtype: 'F32', shape: tensor.shape.toReversed() } : tensor;
		},
		async tensor(name) {
			const tensor = header.tensors.get(own.get(name) ?? '');
			if (!tensor) throw new ModelError(`${file.name} has no tensor for ${name}.`);
			const found = await stored(file, name, tensor);
			const conversion = conversionOf(architecture, own.get(name)!);
			if (conversion === 'turned') return turned(found);
			if (conversion !== 'paired') return found;
			const heads = Number(name.includes('q_proj') ? config.num_attention_heads : config.num_key_value_heads);
			return { ...found, bytes: unpaired(found.bytes, heads, found.shape[0]) };
		}
	};
}

/** [outputs, inputs] as [inputs, outputs]. Quantized blocks run along the inputs, so the numbers are decoded, row by row. */
function turned(tensor: StoredTensor): StoredTensor {
	const [outputs, inputs] = tensor.shape;
	const numbers = new Float32Array(outputs * inputs);
	for (let output = 0; output < outputs; output++) {
		rowsOf(tensor, output, output + 1).forEach((number, input) => (numbers[input * outputs + output] = number));
	}
	return { name: tensor.name, dtype: 'F32', shape: [inputs, outputs], bytes: new Uint8Array(numbers.buffer) };
}
