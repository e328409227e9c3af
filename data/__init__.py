"""The knowledge of rlsiron: units, analytes, guidelines, safety rules and sentences."""
