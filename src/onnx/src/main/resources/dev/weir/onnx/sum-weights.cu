// Adds up the weights of rows of logits, e^((logit - largest) inverse) each, where each row has an inverse temperature of its own. One
// block of 1024 threads a row.
//
// sum-weights.ptx is made of this by: nvcc -ptx -O3 -arch=compute_75 sum-weights.cu

#define THREADS 1024

extern "C" __global__ void __launch_bounds__(THREADS)
        sumWeights(const float *logits, int vocabulary, long long stride, const float *ranked, int k, const int *rows,
                   const float *inverses, float *sums) {
    __shared__ float partial[THREADS];
    long long index = rows[blockIdx.x];
    const float *row = logits + index * stride;
    float largest = ranked[index * k];
    float inverse = inverses[blockIdx.x];

    float own = 0;
    for (int i = threadIdx.x; i < vocabulary; i += THREADS) {
        own += expf((row[i] - largest) * inverse);
    }
    partial[threadIdx.x] = own;
    for (int step = THREADS / 2; step > 0; step >>= 1) {
        __syncthreads();
        if (threadIdx.x < step) {
            partial[threadIdx.x] += partial[threadIdx.x + step];
        }
    }
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = partial[0];
    }
}
