"""Which personal data there is, country by country, and from which score on it counts. Tables only.

Presidio names the recognizers and their context words; thresholds are ours. A pattern that many other numbers fit
scores under 0.4 until one of its context words stands before it, so most of these are found beside their words only.
"""

from collections.abc import Mapping
from typing import NamedTuple

NAMES: Mapping[str, float] = {"ADDRESS": 0.5, "LOCATION": 0.7, "NRP": 0.5, "ORGANIZATION": 0.8, "PERSON": 0.6}
"""What an engine for names may find. ADDRESS and NRP are also found by patterns of ours."""
CLOSERS: Mapping[str, float] = {"ADDRESS": 0.5, "AGE": 0.5, "DATE_TIME": 0.4, "NRP": 0.5, "TITLE": 0.5}
"""What patterns of ours find without any model, all by request only."""
GENERIC: Mapping[str, float] = {
    "CREDIT_CARD": 0.4,
    "CRYPTO": 0.4,
    "DATE_TIME": 0.4,
    "EMAIL_ADDRESS": 0.4,
    "IBAN_CODE": 0.4,
    "IP_ADDRESS": 0.6,
    "MAC_ADDRESS": 0.6,
    "PHONE_NUMBER": 0.4,
    "URL": 0.6,  # 0.5 is a bare domain: `model.fit`, `example.py`
    "UUID": 0.5,
}
GENERIC_OPT_IN = frozenset({"DATE_TIME", "URL", "UUID", *NAMES, *CLOSERS})


class Entry(NamedTuple):
    """One of presidio's recognizers: what it finds, from which score on, and whether a rule has to ask for it."""

    entity: str
    threshold: float = 0.4
    opt_in: bool = False


PACKS: Mapping[str, Mapping[str, Entry]] = {
    "au": {
        "AuAbnRecognizer": Entry("AU_ABN"),
        "AuAcnRecognizer": Entry("AU_ACN"),
        "AuMedicareRecognizer": Entry("AU_MEDICARE"),
        "AuTfnRecognizer": Entry("AU_TFN"),
    },
    "ca": {
        "CaPostalCodeRecognizer": Entry("CA_POSTAL_CODE", 0.4, opt_in=True),
        "CaSinRecognizer": Entry("CA_SIN"),
    },
    "de": {
        "DeBsnrRecognizer": Entry("DE_BSNR", 0.4, opt_in=True),
        "DeFuehrerscheinRecognizer": Entry("DE_FUEHRERSCHEIN"),
        "DeHandelsregisterRecognizer": Entry("DE_HANDELSREGISTER", 0.4, opt_in=True),
        "DeHealthInsuranceRecognizer": Entry("DE_HEALTH_INSURANCE"),
        "DeIdCardRecognizer": Entry("DE_ID_CARD", 0.6),  # nine letters and digits: `KITCHENS1`
        "DeKfzRecognizer": Entry("DE_KFZ"),
        "DeLanrRecognizer": Entry("DE_LANR", 0.4, opt_in=True),
        "DePassportRecognizer": Entry("DE_PASSPORT", 0.6),
        "DePlzRecognizer": Entry("DE_PLZ", 0.4, opt_in=True),
        "DeSocialSecurityRecognizer": Entry("DE_SOCIAL_SECURITY"),
        "DeTaxIdRecognizer": Entry("DE_TAX_ID"),
        "DeTaxNumberRecognizer": Entry("DE_TAX_NUMBER"),
        "DeVatIdRecognizer": Entry("DE_VAT_ID"),
    },
    "es": {
        "EsNieRecognizer": Entry("ES_NIE"),
        "EsNifRecognizer": Entry("ES_NIF"),
        "EsPassportRecognizer": Entry("ES_PASSPORT"),
    },
    "fi": {"FiPersonalIdentityCodeRecognizer": Entry("FI_PERSONAL_IDENTITY_CODE")},
    "in": {
        "InAadhaarRecognizer": Entry("IN_AADHAAR"),
        "InGstinRecognizer": Entry("IN_GSTIN"),
        "InPanRecognizer": Entry("IN_PAN"),
        "InPassportRecognizer": Entry("IN_PASSPORT"),
        "InVehicleRegistrationRecognizer": Entry("IN_VEHICLE_REGISTRATION", 0.4, opt_in=True),
        "InVoterRecognizer": Entry("IN_VOTER"),
    },
    "it": {
        "ItDriverLicenseRecognizer": Entry("IT_DRIVER_LICENSE"),
        "ItFiscalCodeRecognizer": Entry("IT_FISCAL_CODE"),
        "ItIdentityCardRecognizer": Entry("IT_IDENTITY_CARD"),
        "ItPassportRecognizer": Entry("IT_PASSPORT"),
        "ItVatCodeRecognizer": Entry("IT_VAT_CODE"),
    },
    "kr": {
        "KrBrnRecognizer": Entry("KR_BRN"),
        "KrDriverLicenseRecognizer": Entry("KR_DRIVER_LICENSE"),
        "KrFrnRecognizer": Entry("KR_FRN"),
        "KrPassportRecognizer": Entry("KR_PASSPORT"),
        "KrRrnRecognizer": Entry("KR_RRN"),
    },
    "ng": {
        "NgNinRecognizer": Entry("NG_NIN"),
        "NgVehicleRegistrationRecognizer": Entry("NG_VEHICLE_REGISTRATION", 0.6, opt_in=True),
    },
    "ph": {
        "PhPassportRecognizer": Entry("PH_PASSPORT"),
        "PhTinRecognizer": Entry("PH_TIN"),
        "PhUmidRecognizer": Entry("PH_UMID"),
    },
    "pl": {"PlPeselRecognizer": Entry("PL_PESEL", 0.5)},
    "se": {
        "SeOrganisationsnummerRecognizer": Entry("SE_ORGANISATIONSNUMMER", 0.7, opt_in=True),
        "SePersonnummerRecognizer": Entry("SE_PERSONNUMMER", 0.6),
    },
    "sg": {
        "SgFinRecognizer": Entry("SG_NRIC_FIN"),
        "SgUenRecognizer": Entry("SG_UEN", 0.4, opt_in=True),
    },
    "th": {"ThTninRecognizer": Entry("TH_TNIN")},
    "tr": {
        "TrLicensePlateRecognizer": Entry("TR_LICENSE_PLATE", 0.4, opt_in=True),
        "TrNationalIdRecognizer": Entry("TR_NATIONAL_ID"),
    },
    "uk": {
        "NhsRecognizer": Entry("UK_NHS", 0.4, opt_in=True),  # its checksum holds for one ten-digit number in eleven
        "UkDrivingLicenceRecognizer": Entry("UK_DRIVING_LICENCE"),
        "UkNinoRecognizer": Entry("UK_NINO"),
        "UkPassportRecognizer": Entry("UK_PASSPORT"),
        "UkPostcodeRecognizer": Entry("UK_POSTCODE", 0.4, opt_in=True),
        "UkVehicleRegistrationRecognizer": Entry("UK_VEHICLE_REGISTRATION", 0.4, opt_in=True),
    },
    "us": {
        "AbaRoutingRecognizer": Entry("ABA_ROUTING_NUMBER", 0.4, opt_in=True),
        "MedicalLicenseRecognizer": Entry("MEDICAL_LICENSE"),
        "UsBankRecognizer": Entry("US_BANK_NUMBER", 0.4, opt_in=True),
        "UsClaimNumberRecognizer": Entry("US_CLAIM_NUMBER", 0.4, opt_in=True),
        "UsHealthInsuranceMemberIdRecognizer": Entry("US_HEALTH_INSURANCE_MEMBER_ID", 0.4, opt_in=True),
        "UsItinRecognizer": Entry("US_ITIN"),
        "UsLicenseRecognizer": Entry("US_DRIVER_LICENSE"),  # `B52` scores 0.3, and 0.65 beside "license"
        "UsMbiRecognizer": Entry("US_MBI", 0.5),
        "UsNpiRecognizer": Entry("US_NPI", 0.4, opt_in=True),
        "UsPassportRecognizer": Entry("US_PASSPORT"),
        "UsPrescriptionNumberRecognizer": Entry("US_PRESCRIPTION_NUMBER", 0.4, opt_in=True),
        "UsPriorAuthorizationNumberRecognizer": Entry("US_PRIOR_AUTHORIZATION_NUMBER", 0.4, opt_in=True),
        "UsProviderTaxIdRecognizer": Entry("US_PROVIDER_TAX_ID", 0.4, opt_in=True),
        "UsReferralNumberRecognizer": Entry("US_REFERRAL_NUMBER", 0.4, opt_in=True),
        "UsSsnRecognizer": Entry("US_SSN"),  # nine bare digits score 0.05, and 0.4 beside "social security"
    },
    "za": {
        "ZaCompanyRegistrationRecognizer": Entry("ZA_COMPANY_REGISTRATION", 0.4, opt_in=True),
        "ZaDriverLicenseRecognizer": Entry("ZA_DRIVER_LICENSE"),
        "ZaIdNumberRecognizer": Entry("ZA_ID_NUMBER"),
        "ZaIncomeTaxNumberRecognizer": Entry("ZA_INCOME_TAX_NUMBER"),
        "ZaLicensePlateRecognizer": Entry("ZA_LICENSE_PLATE", 0.4, opt_in=True),
        "ZaPassportRecognizer": Entry("ZA_PASSPORT"),
        "ZaTrafficRegisterNumberRecognizer": Entry("ZA_TRAFFIC_REGISTER_NUMBER"),
        "ZaVatNumberRecognizer": Entry("ZA_VAT_NUMBER"),
    },
}
"""South African telephone numbers are PHONE_NUMBER here, as all others."""


def entries(countries: tuple[str, ...]) -> list[Entry]:
    """Everything that the packs of these countries look for."""
    return [entry for country in countries for entry in PACKS[country].values()]


OPT_IN = GENERIC_OPT_IN | {entry.entity for entry in entries(tuple(PACKS)) if entry.opt_in}


def country_of(entity: str) -> str:
    """The country whose pack has the entity; empty if none has."""
    return next((country for country in PACKS if any(e.entity == entity for e in PACKS[country].values())), "")


def thresholds(countries: tuple[str, ...], *, names: bool) -> dict[str, float]:
    """Every label that these packs, with or without an engine for names, may find, and its usual threshold."""
    found = {**GENERIC, **CLOSERS, **{entry.entity: entry.threshold for entry in entries(countries)}}
    return dict(sorted({**found, **(NAMES if names else {})}.items()))
