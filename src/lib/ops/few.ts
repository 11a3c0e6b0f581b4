/**
 * On wasm and cpu every stock op costs about ten microseconds before it computes anything, and a norm
 * of one token takes six. Few numbers are therefore worked out by plain loops over the tensors' own memory.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';

/** Numbers up to which a loop is quicker than a chain of stock ops. */
const FEW = 1 << 15;

export const isFew = ({ shape }: TensorInfo): boolean => shape.reduce((a, b) => a * b, 1) <= FEW;
