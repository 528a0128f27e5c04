package dev.weir.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file to train on as it is named on the command line: {@code FILE} or {@code FILE:WEIGHT}. Immutable; any thread.
 *
 * @param weight what its share of the blocks is proportional to; null where none is given
 */
record DataArgument(Path file, @Nullable Double weight) {
    private static final Pattern WEIGHTED =
            Pattern.compile("(.+):([-+]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?)");

    /**
     * Reads an argument. What exists as a file under the whole argument is that file, whatever its name ends in.
     *
     * @throws UserError if the weight is not above 0
     */
    static DataArgument of(String argument) {
        Matcher weighted = WEIGHTED.matcher(argument);
        if (Files.exists(Path.of(argument)) || !weighted.matches()) {
            return new DataArgument(Path.of(argument), null);
        }
        double weight = Double.parseDouble(weighted.group(2));
        if (!(weight > 0 && Double.isFinite(weight))) {
            throw new UserError("--data is " + argument + ", whose weight is " + weighted.group(2)
                    + ": it must be a number above 0");
        }
        return new DataArgument(Path.of(weighted.group(1)), weight);
    }
}
