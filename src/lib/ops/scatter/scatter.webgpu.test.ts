import { scatterSuite } from './suite.ts';

scatterSuite('webgpu');
