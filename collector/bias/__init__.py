"""`spanward bias`: asks a model the same for different groups; what is measured and said lives in guards."""
