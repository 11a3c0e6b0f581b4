import { smolSuite } from './smollm2-suite.ts';

smolSuite('webgpu', ['f32', 'f16', 'int8', 'int4']);
