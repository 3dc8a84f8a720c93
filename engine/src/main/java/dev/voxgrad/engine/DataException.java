package dev.voxgrad.engine;

/** A file or data set cannot be used as it is; the message says what, where and how to fix it. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the text for the user. */
    public DataException(String message) {
        super(message);
    }

    /** With the text for the user and the exception behind it. */
    public DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
