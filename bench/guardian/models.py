"""What guardian has to know of our tables; it gets no model of ours."""

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"

    class Meta:
        managed = False
        db_table = "accounts_user"

    def __str__(self) -> str:
        return self.email


class Project(models.Model):
    name = models.CharField(max_length=150)

    class Meta:
        managed = False
        db_table = "companies_project"

    def __str__(self) -> str:
        return self.name
