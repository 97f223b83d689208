"""What users call: the verbs that tie the rooms together."""
