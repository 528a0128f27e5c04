// Ranks the k largest logits of each row, in order; of equals the one with the lower id first. One block of 1024 threads a row.
//
// The k-th largest of the threads' own maxima is a bound: k logits at least are as large. What reaches the bound is hardly
// more than k, is collected in a second reading and sorted. Only where very many logits are equal it is more than there are
// threads; then the k are found one after the other.
//
// rank-logits.ptx is made of this by: nvcc -ptx -O3 -arch=compute_75 rank-logits.cu

#define THREADS 1024

typedef unsigned long long entry; // key of a logit in the upper half, complement of its id in the lower

static __device__ unsigned int key(float logit) { // orders as logits do; what is not a number comes first
    unsigned int bits = __float_as_uint(logit);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static __device__ float logit(unsigned int key) {
    return __uint_as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key);
}

static __device__ void sortDescending(entry *entries) { // bitonic, an entry a thread
#pragma unroll 1
    for (int size = 2; size <= THREADS; size <<= 1) {
#pragma unroll 1
        for (int step = size >> 1; step > 0; step >>= 1) {
            __syncthreads();
            int own = threadIdx.x;
            int other = own ^ step;
            if (other > own) {
                entry a = entries[own];
                entry b = entries[other];
                if ((a < b) == ((own & size) == 0)) {
                    entries[own] = b;
                    entries[other] = a;
                }
            }
        }
    }
    __syncthreads();
}

static __device__ entry largest(entry *scratch, entry own) {
    __syncthreads();
    scratch[threadIdx.x] = own;
    for (int step = THREADS / 2; step > 0; step >>= 1) {
        __syncthreads();
        if (threadIdx.x < step && scratch[threadIdx.x + step] > scratch[threadIdx.x]) {
            scratch[threadIdx.x] = scratch[threadIdx.x + step];
        }
    }
    __syncthreads();
    return scratch[0];
}

extern "C" __global__ void __launch_bounds__(THREADS)
        rankLogits(const float *logits, int vocabulary, long long stride, int k, float *scores, int *ids) {
    __shared__ entry entries[THREADS];
    __shared__ entry found[THREADS];
    __shared__ int count;
    const float *row = logits + blockIdx.x * stride;

    unsigned int best = 0;
    for (int i = threadIdx.x; i < vocabulary; i += THREADS) {
        unsigned int each = key(row[i]);
        best = each > best ? each : best;
    }
    entries[threadIdx.x] = best;
    if (threadIdx.x == 0) {
        count = 0;
    }
    sortDescending(entries);
    unsigned int bound = (unsigned int) entries[k - 1];

    found[threadIdx.x] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < vocabulary; i += THREADS) {
        unsigned int each = key(row[i]);
        if (each >= bound) {
            int at = atomicAdd(&count, 1);
            if (at < THREADS) {
                found[at] = (entry) each << 32 | (unsigned int) ~i;
            }
        }
    }
    __syncthreads();
    if (count <= THREADS) {
        sortDescending(found);
    } else {
        entry last = ~(entry) 0;
        for (int rank = 0; rank < k; rank++) {
            entry own = 0;
            for (int i = threadIdx.x; i < vocabulary; i += THREADS) {
                entry each = (entry) key(row[i]) << 32 | (unsigned int) ~i;
                own = each < last && each > own ? each : own;
            }
            last = largest(entries, own);
            if (threadIdx.x == 0) {
                found[rank] = last;
            }
        }
        __syncthreads();
    }
    if (threadIdx.x < k) {
        long long at = (long long) blockIdx.x * k + threadIdx.x;
        scores[at] = logit((unsigned int) (found[threadIdx.x] >> 32));
        ids[at] = (int) ~(unsigned int) found[threadIdx.x];
    }
}
