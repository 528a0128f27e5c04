package dev.weir.tokenizer;

import java.util.Arrays;

/** A growing list of ints. Owned by one call. */
final class IntArray {
    int[] values;
    int size;

    IntArray(int capacity) {
        values = new int[Math.max(capacity, 16)];
    }

    void add(int value) {
        reserve(1);
        values[size++] = value;
    }

    void addAll(int[] source, int count) {
        reserve(count);
        System.arraycopy(source, 0, values, size, count);
        size += count;
    }

    int[] toArray() {
        return Arrays.copyOf(values, size);
    }

    private void reserve(int more) {
        if (values.length - size < more) {
            values = Arrays.copyOf(values, Math.max(values.length * 2, size + more));
        }
    }
}
