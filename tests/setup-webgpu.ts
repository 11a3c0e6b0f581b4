import { installWebGpu } from '../src/lib/ops/node-webgpu.ts';

await installWebGpu();
