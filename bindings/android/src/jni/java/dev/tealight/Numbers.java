package dev.tealight;

/** Refuses numbers that mean nothing. */
final class Numbers {
    private Numbers() {}

    static int positive(int number, String what) {
        if (number < 1) {
            throw new TealightException.InvalidInput(what + " is " + number + ", but at least 1");
        }
        return number;
    }

    static int notNegative(int number, String what) {
        if (number < 0) {
            throw new TealightException.InvalidInput(what + " is " + number + ", but at least 0");
        }
        return number;
    }
}
