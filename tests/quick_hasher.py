"""Passwords hashed once, where Django does it a million times: half a second for each login of a test."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1
