"""Every setting of the application, once: read from the environment (prefix FULFIL_) and from .env."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from config.addresses import is_open_http, wrong_with_redis
from config.names import known_names, misspelt, set_names
from config.secrecy import SecretFiles, checked_keys, env_file, key_list, with_files_read, written_by_others

MessageKey = Annotated[str, StringConstraints(min_length=32, max_length=512)]

TokenKeys = Annotated[str, AfterValidator(checked_keys)]

AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


class Account(BaseModel):
    """One set of marketplace credentials; rate limits count per account.

    Further keys (credentials, a marketplace's own settings) are kept as they are and validated by the
    marketplace's adapter, which alone knows them.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    marketplace: str = Field(description="`aliexpress`, `xportcn` or `shoplazza`")
    base_url: str | None = Field(None, description="where the API answers; unset: the marketplace's own address")
    rate_per_second: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="calls a second; unset: the marketplace's documented or a careful default",
    )
    rate_burst: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="calls that may go at once before the rate applies; unset: the marketplace's",
    )
    max_quantity: int = Field(
        1000,
        ge=1,
        le=999_999_999,
        description="most pieces of one line item; a job with more is rejected",
    )

    recreate_after_seconds: float | None = Field(
        None,
        ge=3600,
        le=7 * 86400,
        description="make an order of unknown fate anew when it was looked up and not found for so long, at least an"
        " hour; a marketplace that commits it later still makes a second one. Unset: never, a person decides",
    )
    number_days: float | None = Field(
        None, gt=0, description="days from payment without a parcel's number before a person is told; unset: 7"
    )
    movement_hours: float | None = Field(
        None, gt=0, description="hours without a parcel's movement before a person is told; unset: 48"
    )
    eta_days: float | None = Field(
        None, gt=0, description="days after a parcel's estimated arrival before a person is told; unset: 3"
    )
    held_hours: float | None = Field(
        None, gt=0, description="hours the marketplace may hold an order before a person is told; unset: 24"
    )
    max_orders_per_day: int | None = Field(
        None, ge=1, description="orders sent in a day (UTC) before the account is paused; unset: no limit"
    )
    max_amount_per_day: float | None = Field(
        None,
        gt=0,
        description="money spent in a day (UTC), in each currency, as it was read back, before the account is paused;"
        " unset: no limit",
    )
    max_order_amount: float | None = Field(
        None,
        gt=0,
        description="what an order may cost, in its own currency: refused where a preview tells it, else told at the"
        " read-back; unset: no limit",
    )

    @model_validator(mode="before")
    @classmethod
    def _files_read(cls, values: Any) -> Any:
        return with_files_read(values) if isinstance(values, dict) else values

    def extras(self) -> dict[str, str]:
        """Return the keys that belong to the marketplace (credentials and its own settings)."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Leave the extras out: secrets are among them, and a repr ends up in logs."""
        return ((name, value) for name, value in super().__repr_args__() if name in type(self).model_fields)


class Settings(BaseSettings):
    """The whole configuration. Durations carry their unit in the name; all times are UTC."""

    model_config = SettingsConfigDict(
        env_prefix="FULFIL_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(Path(".fulfil"), description="folder of the embedded Redis, the SQLite ledger and the logs")
    redis_url: str | None = Field(
        None, description="`redis://…`, `rediss://…` or `unix:///…`; unset: an embedded server on a socket in the home"
    )
    redis_password: str | None = Field(None, description="Redis' password, where the address holds none")
    message_key: MessageKey | None = Field(
        None, description="signs the messages in Redis; then no message without its signature does anything"
    )
    message_key_also: MessageKey | None = Field(None, description="a second key that is accepted, to change the key")
    token_keys: TokenKeys | None = Field(
        None,
        description="keys that encrypt the tokens `fulfil accounts login` stores: the first encrypts, every one opens;"
        " with commas between them. `fulfil accounts key` prints a new one",
    )
    database_url: str | None = Field(
        None, description="`postgresql://…` or `sqlite:///…`; unset: SQLite (WAL) in `FULFIL_HOME`"
    )
    chunk: int = Field(100, ge=1, le=1000, description="orders a message carries at most")
    in_flight: int = Field(200, ge=1, le=2000, description="creates in flight at once, a worker process")
    in_flight_reads: int = Field(
        100, ge=1, le=2000, description="reads (confirm, look-up) in flight at once, a worker process"
    )
    confirm_delay_seconds: float = Field(
        12, ge=10, le=3600, description="wait between a create and its first order-get; never below 10"
    )
    lease_seconds: float = Field(
        90,
        ge=5,
        le=600,
        description="how long a claimed order belongs to its worker before it counts as unknown",
    )
    sweep_seconds: float = Field(5, gt=0, le=60, description="how often beat looks for orders that stand still")
    request_timeout_seconds: float = Field(
        30, gt=0, le=120, description="longest wait for one answer of a marketplace; at most half a lease"
    )
    connect_timeout_seconds: float = Field(5, gt=0, le=60, description="longest wait for a connection")
    max_attempts: int = Field(
        8,
        ge=1,
        le=100,
        description="sends that never arrived before an order is `dead`; declined ones do not count",
    )
    retry_base_seconds: float = Field(2, gt=0, le=600, description="first step of the exponential backoff")
    retry_cap_seconds: float = Field(300, gt=0, le=3600, description="longest step of the exponential backoff")
    preflight: Literal["off", "warn", "refuse"] = Field(
        "off",
        description="what intake does with orders that would be refused (`fulfil check`): `off` looks at none, `warn`"
        " takes them and says so, `refuse` rejects them",
    )
    preflight_products_per_second: float = Field(
        150, gt=0, le=500, description="products a preflight asks AliExpress for at most, all accounts together"
    )
    preflight_freights_per_second: float = Field(
        120, gt=0, le=350, description="deliveries a preflight asks AliExpress for at most, all accounts together"
    )
    preflight_addresses_per_second: float = Field(
        1, gt=0, le=4, description="countries a preflight asks AliExpress for at most, all accounts together"
    )
    preflight_keep_seconds: float = Field(
        900, ge=0, le=86400, description="how long stock, prices and deliveries that were read count; 0: only at once"
    )
    sandbox_port: int = Field(8900, ge=0, le=65535, description="port of `fulfil sandbox`; 0 picks a free one")
    flower_port: int = Field(5555, ge=1, le=65535, description="port of Flower, on loopback unless told otherwise")
    flower_address: str = Field("127.0.0.1", description="address Flower listens on")
    flower_basic_auth: str | None = Field(
        None,
        description="`user:password` of Flower; unset: `fulfil up` makes a password and keeps it in the home",
    )
    hooks_port: int = Field(8990, ge=0, le=65535, description="port of `fulfil hooks`; 0 picks a free one")
    hooks_address: str = Field("127.0.0.1", description="address `fulfil hooks` listens on")
    log_level: str = Field("WARNING", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`")
    allow_http: bool = Field(
        False, description="`true`: an account's `BASE_URL` may be `http://` to another machine, which all between read"
    )
    accounts: dict[AccountName, Account] = Field(
        default_factory=dict, description="`FULFIL_ACCOUNTS__<NAME>__<KEY>`, see the accounts table"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keep every value the text it is: an app key looks like a number, and a secret may look like 1e5."""
        for source in (env_settings, dotenv_settings):
            source.decode_complex_value = _undecoded  # type: ignore[method-assign]
        return init_settings, SecretFiles(settings_cls, env_settings, dotenv_settings), env_settings, dotenv_settings

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            raise ValueError("should be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str | None) -> str | None:
        if value is not None and (reason := wrong_with_redis(value)):
            raise ValueError(reason)
        return value

    @field_validator("accounts")
    @classmethod
    def _no_secret_in_the_open(cls, value: dict[str, Account], told: ValidationInfo) -> dict[str, Account]:
        for name, account in value.items():
            if not told.data.get("allow_http") and account.base_url and is_open_http(account.base_url):
                raise ValueError(
                    f"FULFIL_ACCOUNTS__{name.upper()}__BASE_URL is http:// and leads off this machine: whoever listens"
                    " reads the tokens and the orders. Use https://, or say FULFIL_ALLOW_HTTP=true"
                )
        return value

    @property
    def token_key_list(self) -> list[str]:
        """The keys that encrypt and open stored tokens, the one that encrypts first; none where none is set."""
        return key_list(self.token_keys or "")

    @property
    def answer_seconds(self) -> float:
        """Longest wait for an answer: never so long that a lease runs out under a request."""
        return min(self.request_timeout_seconds, self.lease_seconds / 2)

    def database(self) -> str:
        """Return the ledger's SQLAlchemy address: psycopg for PostgreSQL, SQLite in the home by default."""
        url = self.database_url or f"sqlite:///{quote(str(self.home.resolve() / 'ledger.sqlite3'))}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
            "postgres://", "postgresql+psycopg://", 1
        )


def _undecoded(field_name: str, field: FieldInfo, value: Any) -> Any:
    return value


class BadSettingError(ValueError):
    """A setting is wrong; the text names it and says what is expected."""


@cache
def settings() -> Settings:
    """Return the process's settings, read once. Raises BadSettingError."""
    path = env_file()
    if path is not None and (reason := written_by_others(path)):
        raise BadSettingError(reason)
    try:
        if wrong := misspelt(set_names(path), known_names(Settings.model_fields)):
            raise BadSettingError("; ".join(wrong))
        return Settings(_env_file=path)
    except ValidationError as error:
        # Never the value: it may be a secret.
        wrong = [
            f"{_variable(e['loc'])}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False, include_url=False)
        ]
        raise BadSettingError("; ".join(wrong)) from None
    except SettingsError as error:
        raise BadSettingError(str(error)) from None
    except UnicodeDecodeError:
        raise BadSettingError(f"the file {path} is not UTF-8 text") from None
    except OSError as error:
        raise BadSettingError(f"the file {path} cannot be read: {error.strerror}") from None


def _variable(location: tuple[str | int, ...]) -> str:
    """Return the environment variable a validation error is about."""
    return "FULFIL_" + "__".join(str(part).upper() for part in location if part != "[key]")
