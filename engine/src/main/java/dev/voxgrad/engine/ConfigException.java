package dev.voxgrad.engine;

/** A setting, plan or command line value is wrong; the message says what, where and how to fix it. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the text for the user. */
    public ConfigException(String message) {
        super(message);
    }

    /** With the text for the user and the exception behind it. */
    public ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
