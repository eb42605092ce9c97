"""What texts are like (language, topic, new words), read from a sample of the stored calls."""
