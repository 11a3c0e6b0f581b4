/** What is wrong with a model's files, as a sentence for the reader: what it is, and what to do. */
export class ModelError extends Error {
	override name = 'ModelError';
}
