// TensorFlow.js as `@tensorflow/tfjs` exports it to pages: with the backend webgl.

import '@tensorflow/tfjs-backend-webgl';

export * from '../support/tensorflow.js';
