/** Other programs that generate from a GPT's weights on the JVM, to be measured beside this one. */
@org.jspecify.annotations.NullMarked
package dev.weir.peers;
