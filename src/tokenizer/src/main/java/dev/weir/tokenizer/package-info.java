/** Text to token ids and back: {@code tokenizer.json} files, streaming detokenisation, chat templates. */
@NullMarked
package dev.weir.tokenizer;

import org.jspecify.annotations.NullMarked;
